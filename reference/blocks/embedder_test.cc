// SPDX-License-Identifier: Apache-2.0
// Blocks that read tables of a checkpoint: the embedder and the per-layer inputs.
#include "reference/blocks/embedder.h"

#include "reference/blocks/per_layer_input.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(3e-6, 1e-13);

Checkpoint tiny() {
  return Checkpoint::open(source_dir() + "/golden/checkpoints/e2b-tiny");
}

const std::string kTable = "embed_tokens.weight";

TEST(EmbeddingRows, AreTheTablesRows) {
  const auto checkpoint = tiny();
  const WeightReader reader(checkpoint);
  const auto table = reader.matrix(kTable);
  const std::size_t width = table.shape()[1];
  const auto last = static_cast<std::int32_t>(table.shape()[0] - 1);
  const auto rows = embedding_rows(reader, kTable, {5, 0, last, 5});
  for (std::size_t d = 0; d < width; ++d) {
    EXPECT_EQ(rows(0, d), table(5, d));
    EXPECT_EQ(rows(1, d), table(0, d));
    EXPECT_EQ(rows(2, d), table(table.shape()[0] - 1, d));
    EXPECT_EQ(rows(3, d), table(5, d));
  }
}

TEST(EmbeddingRows, RefusesIdsOutsideTheTable) {
  const auto checkpoint = tiny();
  const WeightReader reader(checkpoint);
  EXPECT_EQ(error_of([&] {
              embedding_rows(reader, kTable, {1, 2, 64});
            }),
            "token id at index 2: got 64, expected 0 to 63 (embed_tokens.weight)");
  EXPECT_EQ(error_of([&] { embedding_rows(reader, kTable, {-1}); }),
            "token id at index 0: got -1, expected 0 to 63 (embed_tokens.weight)");
}

// M-23, M-132: the same table, and without sqrt(D).
TEST(Unembed, IsTheTableTimesTheVector) {
  const auto checkpoint = tiny();
  const WeightReader reader(checkpoint);
  const auto table = reader.matrix(kTable);
  const auto n = random_tensor<T, D>({2, table.shape()[1]}, 3);
  std::vector<double> expected;
  for (std::size_t t = 0; t < 2; ++t) {
    for (std::size_t v = 0; v < table.shape()[0]; ++v) {
      double sum = 0;
      for (std::size_t d = 0; d < table.shape()[1]; ++d) {
        sum += static_cast<double>(table(v, d)) * static_cast<double>(n(t, d));
      }
      expected.push_back(sum);
    }
  }
  expect_near(values_of(unembed(reader, kTable, n)), expected, kBound);
}

// the released widths, and sqrt(D) as bf16 has it.
TEST(EmbeddingScale, OfTheReleasedWidths) {
  struct Width {
    std::size_t width;
    double root, rounded;
  };
  for (const auto& [width, root, rounded] :
       {Width{1536, 39.1918359, 39.25}, Width{2560, 50.5964426, 50.5},
        Width{3840, 61.9677335, 62.0}, Width{2816, 53.0659966, 53.0},
        Width{5376, 73.3212111, 73.5}}) {
    EXPECT_NEAR(static_cast<double>(embedding_scale(width, false)), root, bound_of(4e-6, 5.1e-8));
    EXPECT_EQ(embedding_scale(width, true), static_cast<Real>(rounded));
  }
}

// Every part of from the tables, in fp64.
struct PerLayer {
  TextConfig config;
  std::vector<double> token;    // [T, L, P]
  std::vector<double> swapped;  // the same, packed [P, L]
  std::vector<double> right;    // in
  std::vector<double> wide;     // normed over L * P
  std::vector<double> ours;
};

constexpr double kRoot = 4;  // sqrt(P), P = 16

std::vector<double> normed(const std::vector<double>& x, std::size_t over, double eps) {
  std::vector<double> y = x;
  for (std::size_t first = 0; first < x.size(); first += over) {
    double sum = 0;
    for (std::size_t i = first; i < first + over; ++i) {
      sum += x[i] * x[i];
    }
    for (std::size_t i = first; i < first + over; ++i) {
      y[i] /= std::sqrt(sum / static_cast<double>(over) + eps);
    }
  }
  return y;
}

PerLayer per_layer() {
  const auto checkpoint = tiny();
  const WeightReader reader(checkpoint);
  PerLayer all;
  all.config = checkpoint.config().text;
  const std::size_t layers = all.config.layers.size();
  const std::size_t width = all.config.hidden_size_per_layer_input;
  const std::size_t hidden = all.config.hidden_size;
  const auto table = reader.matrix("embed_tokens_per_layer.weight");
  const auto projection = reader.matrix("per_layer_model_projection.weight");
  const auto scale = reader.vector("per_layer_projection_norm.weight");
  const auto h0 = random_tensor<T, D>({2, hidden}, 4);
  const std::vector<std::int32_t> ids = {3, 60};
  std::vector<double> context;
  for (std::size_t t = 0; t < 2; ++t) {
    const auto id = static_cast<std::size_t>(ids[t]);
    for (std::size_t j = 0; j < layers * width; ++j) {
      all.token.push_back(kRoot * static_cast<double>(table(id, j)));
      const std::size_t other = j % width * layers + j / width;
      all.swapped.push_back(kRoot * static_cast<double>(table(id, other)));
      double sum = 0;
      for (std::size_t d = 0; d < hidden; ++d) {
        sum += static_cast<double>(projection(j, d)) * static_cast<double>(h0(t, d));
      }
      context.push_back(sum / std::sqrt(static_cast<double>(hidden)));
    }
  }
  const auto right = normed(context, width, all.config.rms_norm_eps);
  const auto wide = normed(context, layers * width, all.config.rms_norm_eps);
  for (std::size_t i = 0; i < right.size(); ++i) {
    const auto weight = static_cast<double>(scale(i % width));
    all.right.push_back((right[i] * weight + all.token[i]) / std::sqrt(2.0));
    all.wide.push_back((wide[i] * weight + all.token[i]) / std::sqrt(2.0));
  }
  Taps silent;
  all.ours = values_of(per_layer_inputs(reader, all.config, ids, h0, false, TapScope(silent, "")));
  return all;
}

// M-34
TEST(per_layer_input, norm_over_all_layers) {
  const PerLayer all = per_layer();
  expect_avoided(all.ours, all.right, all.wide, kBound);
}

// M-35: after the block's own norm it could not be seen.
TEST(per_layer_input, missing_rsqrt2) {
  const PerLayer all = per_layer();
  auto wrong = all.right;
  for (double& value : wrong) {
    value *= std::sqrt(2.0);
  }
  expect_avoided(all.ours, all.right, wrong, kBound);
}

// M-30: layer-major packing.
TEST(per_layer_input, packed_the_other_way) {
  const PerLayer all = per_layer();
  auto wrong = all.right;
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    wrong[i] += (all.swapped[i] - all.token[i]) / std::sqrt(2.0);
  }
  expect_avoided(all.ours, all.right, wrong, kBound);
}

// M-29
TEST(per_layer_input, missing_root_of_width) {
  const PerLayer all = per_layer();
  auto wrong = all.right;
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    wrong[i] -= all.token[i] * (1 - 1 / kRoot) / std::sqrt(2.0);
  }
  expect_avoided(all.ours, all.right, wrong, kBound);
}

// M-37: slice l is layer l's.
TEST(PerLayerSlice, ByHand) {
  const auto in = tensor_of<T, L, P>({2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  EXPECT_EQ(values_of(per_layer_slice(in, 0)), std::vector<double>({0, 1, 6, 7}));
  EXPECT_EQ(values_of(per_layer_slice(in, 2)), std::vector<double>({4, 5, 10, 11}));
}

// gate 1, in 2, projection (3, -4): the norm of (6 g, -8 g) with g = gelu(1) is sqrt(2) (0.6,
// -0.8).
TEST(PerLayerInputBlock, ByHand) {
  Taps silent;
  const PerLayerInputWeights w{tensor_of<O, I>({1, 2}, {1, 0}), tensor_of<O, I>({2, 1}, {3, -4}),
                               tensor_of<D>({2}, {1, 0.5})};
  const auto h = tensor_of<T, D>({1, 2}, {1, 7});
  const auto y = per_layer_input_block(w, h, tensor_of<T, P>({1, 1}, {2}), 0, TapScope(silent, ""));
  const double root = std::sqrt(2.0);
  expect_near(values_of(y), {1 + 0.6 * root, 7 - 0.4 * root}, kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
