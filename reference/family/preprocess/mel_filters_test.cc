// SPDX-License-Identifier: Apache-2.0
// RA-6: the facts of spec multimodal 5.2.
#include "reference/family/preprocess/mel_filters.h"

#include <gtest/gtest.h>

#include <cmath>

#include "reference/family/preprocess/log_mel.h"

namespace assay {
namespace {

double weight(std::size_t bin, std::size_t filter) {
  static const std::vector<double> filters = mel_filters();
  return filters[bin * kMelBins + filter];
}

TEST(MelFilters, Edges) {
  const auto edges = mel_edges();
  ASSERT_EQ(edges.size(), 130u);
  const double first[] = {0, 13.80884544, 27.8900969, 42.24912811, 56.89141881};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(edges[i], first[i], 5e-9) << i;
  }
  EXPECT_NEAR(edges[127], 7666.647693, 5e-7);
  EXPECT_NEAR(edges[128], 7831.695899, 1e-6);
  EXPECT_NEAR(edges[129], 8000, 1e-9);
}

TEST(MelFilters, ScaleAndItsInverse) {
  EXPECT_NEAR(hz_to_mel(1000), 999.9855, 5e-5);  // HTK; Slaney: 15
  EXPECT_NEAR(mel_to_hz(hz_to_mel(4321)), 4321, 1e-9);
}

TEST(MelFilters, PrintedWeights) {
  EXPECT_NEAR(weight(1, 1), 0.76600767, 5e-9);
  EXPECT_NEAR(weight(1, 2), 0.23399233, 5e-9);
  EXPECT_NEAR(weight(2, 3), 0.62437015, 5e-9);
  EXPECT_NEAR(weight(64, 68), 0.89745641, 5e-9);
  EXPECT_NEAR(weight(255, 127), 0.18567581, 5e-9);
  EXPECT_NEAR(weight(256, 127), 0, 1e-13);
}

TEST(MelFilters, Sums) {
  double sum = 0;
  double squares = 0;
  for (const double w : mel_filters()) {
    sum += w;
    squares += w * w;
  }
  EXPECT_NEAR(sum, 252.785137, 5e-7);
  EXPECT_NEAR(squares, 166.191328, 5e-7);
}

std::size_t bins_touched(std::size_t filter) {
  std::size_t count = 0;
  for (std::size_t b = 0; b < kFftBins; ++b) {
    count += weight(b, filter) > 0;
  }
  return count;
}

TEST(MelFilters, LowFiltersTouchOneBin) {
  for (std::size_t f = 1; f <= 11; ++f) {
    EXPECT_EQ(bins_touched(f), 1u) << f;
  }
}

// The mistakes of spec multimodal 10.3, by their names. -------------------------------------------

TEST(mel_filters, A8_slaney_area) {
  // Neighbours share each bin in full where both are inside: height 1, not area 1.
  EXPECT_NEAR(weight(128, 95) + weight(128, 96) + weight(128, 94) + weight(128, 97), 1, 1e-12);
}

TEST(mel_filters, A8_triangles_linear_in_mel) {
  const auto edges = mel_edges();
  const double hz = 31.25 * 64;
  const double in_mel =
      (hz_to_mel(edges[70]) - hz_to_mel(hz)) / (hz_to_mel(edges[70]) - hz_to_mel(edges[69]));
  EXPECT_GT(std::abs(in_mel - weight(64, 68)), 1e-4);
}

TEST(mel_filters, A9_first_filter_repaired) {
  EXPECT_EQ(bins_touched(0), 0u);
  for (std::size_t f = 1; f < kMelBins; ++f) {
    EXPECT_GT(bins_touched(f), 0u) << f;
  }
}

TEST(mel_filters, A10_other_limits) {
  EXPECT_EQ(mel_edges().front(), 0);
  EXPECT_NEAR(mel_edges().back(), 8000, 1e-9);
}

}  // namespace
}  // namespace assay
