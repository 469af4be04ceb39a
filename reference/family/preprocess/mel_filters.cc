// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/mel_filters.h"

#include <algorithm>
#include <cmath>

#include "reference/family/preprocess/log_mel.h"

namespace assay {
namespace {

constexpr double kHighestHz = kSampleRate / 2.0;
constexpr double kBinHz = static_cast<double>(kSampleRate) / kFftSize;  // 31.25

}  // namespace

double hz_to_mel(double hz) {
  return 2595 * std::log10(1 + hz / 700);
}

double mel_to_hz(double mel) {
  return 700 * (std::pow(10, mel / 2595) - 1);
}

std::vector<double> mel_edges() {
  std::vector<double> edges;
  const double highest = hz_to_mel(kHighestHz);
  const double step = highest / (kMelBins + 1);
  for (std::size_t i = 0; i <= kMelBins; ++i) {
    edges.push_back(mel_to_hz(static_cast<double>(i) * step));
  }
  edges.push_back(mel_to_hz(highest));
  return edges;
}

std::vector<double> mel_filters() {
  const std::vector<double> edge = mel_edges();
  std::vector<double> filters(kFftBins * kMelBins);
  for (std::size_t b = 0; b < kFftBins; ++b) {
    const double hz = static_cast<double>(b) * kBinHz;
    for (std::size_t f = 0; f < kMelBins; ++f) {
      const double rising = (hz - edge[f]) / (edge[f + 1] - edge[f]);
      const double falling = (edge[f + 2] - hz) / (edge[f + 2] - edge[f + 1]);
      filters[b * kMelBins + f] = std::max(0.0, std::min(rising, falling));
    }
  }
  return filters;
}

}  // namespace assay
