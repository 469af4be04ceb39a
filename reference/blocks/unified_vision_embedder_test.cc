// SPDX-License-Identifier: Apache-2.0
// golden/tables/vision_miniature.json, "unified": the 12B miniature of spec multimodal A.4 through
// a checkpoint on disk, then V58 to V61.  Spec: RU-1 to RU-5.
#include "reference/blocks/unified_vision_embedder.h"

#include "reference/family/base/json_object.h"
#include "reference/family/checkpoint/safetensors_writer.h"
#include "reference/family/checkpoint/tensor_table.h"
#include "reference/family/config/load_config.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/ops/layer_norm.h"
#include "reference/ops/linear.h"
#include "reference/testing/test_fill.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"
#include "reference/weights/load_vision_weights.h"

namespace assay::ASSAY_REFERENCE {
namespace {

const char* const kConfig = R"({
 "model_type": "gemma4_unified", "audio_config": null, "tie_word_embeddings": true,
 "text_config": {
  "model_type": "gemma4_unified_text", "vocab_size": 8, "hidden_size": 12, "intermediate_size": 4,
  "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1,
  "num_global_key_value_heads": 1, "head_dim": 4, "global_head_dim": 8,
  "layer_types": ["full_attention"], "rms_norm_eps": 1e-6, "sliding_window": 4,
  "max_position_embeddings": 64, "num_kv_shared_layers": 0, "attention_k_eq_v": true,
  "hidden_activation": "gelu_pytorch_tanh", "use_double_wide_mlp": false,
  "use_bidirectional_attention": "vision", "tie_word_embeddings": true,
  "rope_parameters": {
   "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
   "full_attention": {"rope_type": "proportional", "rope_theta": 1000000.0,
                      "partial_rotary_factor": 0.25}}},
 "vision_config": {
  "model_type": "gemma4_unified_vision", "patch_size": 16, "pooling_kernel_size": 3,
  "model_patch_size": 48, "mm_embed_dim": 16, "mm_posemb_size": 8, "output_proj_dims": 16,
  "rms_norm_eps": 1e-6}
})";

struct Closed {
  std::string_view name;
  std::uint32_t seed;
  double scale;
  double offset;
};

constexpr Closed kTensors[] = {{"vision_embedder.patch_ln1.weight", 202, 0.3, 1},
                               {"vision_embedder.patch_ln1.bias", 203, 0.1, 0},
                               {"vision_embedder.patch_dense.weight", 204, 0.03, 0},
                               {"vision_embedder.patch_dense.bias", 205, 0.2, 0},
                               {"vision_embedder.patch_ln2.weight", 206, 0.3, 1},
                               {"vision_embedder.patch_ln2.bias", 207, 0.1, 0},
                               {"vision_embedder.pos_embedding", 208, 0.5, 0},
                               {"vision_embedder.pos_norm.weight", 209, 0.3, 1},
                               {"vision_embedder.pos_norm.bias", 210, 0.1, 0},
                               {"embed_vision.embedding_projection.weight", 211, 0.3, 0}};

std::vector<float> values_in_file(const std::string& name, std::size_t count) {
  for (const Closed& tensor : kTensors) {
    if (name.ends_with(tensor.name)) {
      return filled(tensor.seed, count, tensor.scale, tensor.offset);
    }
  }
  return std::vector<float>(count, 0.0F);
}

class UnifiedMiniature : public testing::Test {
 protected:
  UnifiedMiniature() {
    directory_.write("config.json", kConfig);
    const ModelConfig model = load_config(directory_.path());
    std::vector<StoredTensor> stored;
    for (const ExpectedTensor& expected : expected_tensors(model)) {
      stored.push_back({stored_name(model, expected.name), DType::kF32, expected.shape});
    }
    SafetensorsWriter writer(directory_.path() / "model.safetensors", stored);
    for (const StoredTensor& tensor : stored) {
      const auto values = values_in_file(tensor.name, tensor_bytes(tensor) / sizeof(float));
      writer.append(std::as_bytes(std::span(values)));
    }
    writer.finish();
    const auto checkpoint = Checkpoint::open(directory_.path());
    const WeightReader reader(checkpoint);
    config_ = *checkpoint.config().unified_vision;
    weights_ = load_unified_vision(reader);
    projection_ = load_vision_projection(reader);
    const auto pixels = filled(201, 6 * 6912, 0.5, 0.5);
    patches_ = tensor_of<R, I>({6, 6912}, {pixels.begin(), pixels.end()});
    positions_ = IntTensor<R, A>({6, 2}, 0);
    for (std::size_t p = 0; p < 6; ++p) {
      positions_(p, 0) = static_cast<std::int32_t>(p % 3);
      positions_(p, 1) = static_cast<std::int32_t>(p / 3);
    }
  }

  Tensor<R, D> embed(Taps& taps) const {
    return unified_vision_embedder(weights_, projection_, config_, patches_, positions_,
                                   TapScope(taps, ""));
  }
  std::string refusal() const {
    Taps silent;
    return error_of([&] { embed(silent); });
  }

  TestDirectory directory_;
  UnifiedVisionConfig config_;
  UnifiedVisionWeights weights_;
  Tensor<O, I> projection_;
  Tensor<R, I> patches_;
  IntTensor<R, A> positions_;
};

TEST_F(UnifiedMiniature, EveryPrintedTap) {
  TapRecorder taps;
  embed(taps);
  const std::string path = source_dir() + "/golden/tables/vision_miniature.json";
  const Json lines = parse_json_file(path, "vision_miniature.json", 1 << 20).at("unified");
  EXPECT_EQ(lines.size(), 8u);
  for (const Json& line : lines) {
    const KeptTap& tap = taps.at(line.at("tap").string());
    EXPECT_EQ(Json(tap.shape), line.at("shape")) << line;
    double squares = 0;
    for (const double value : tap.values) {
      squares += value * value;
    }
    const auto near = [&](double ours, double printed) {
      const double unit = std::pow(10, std::floor(std::log10(std::abs(printed))) - 5);
      EXPECT_NEAR(ours, printed, 0.51 * unit + bound_of(2e-5 * (1 + std::abs(printed)), 0)) << line;
    };
    for (std::size_t i = 0; i < 3; ++i) {
      near(tap.values[i], line.at("first")[i].get<double>());
    }
    near(tap.values.back(), line.at("last").get<double>());
    near(std::sqrt(squares), line.at("l2").get<double>());
  }
}

TEST_F(UnifiedMiniature, PaddingIsLeftOut) {
  TapRecorder bare;
  embed(bare);
  Tensor<R, I> padded = make_tensor<R, I>({8, 6912});
  IntTensor<R, A> places({8, 2}, -1);
  for (std::size_t p = 0; p < 6; ++p) {  // padding in slots 0 and 4
    const std::size_t slot = p < 3 ? p + 1 : p + 2;
    std::copy_n(patches_.data() + p * 6912, 6912, padded.data() + slot * 6912);
    places(slot, 0) = positions_(p, 0);
    places(slot, 1) = positions_(p, 1);
  }
  patches_ = padded;
  positions_ = places;
  TapRecorder taps;
  embed(taps);
  for (const char* name : {"unified.vision.patches", "unified.vision.ln3", "vision.embed.out"}) {
    EXPECT_EQ(taps.at(name).values, bare.at(name).values) << name;
  }
}

TEST_F(UnifiedMiniature, RefusesWhatIsNoImage) {
  positions_(5, 0) = 8;
  EXPECT_EQ(refusal(),
            "image: slot 5: got position (8, 1), expected coordinates from 0 to 7, or (-1, -1)");
  positions_(5, 0) = 2;
  patches_ = make_tensor<R, I>({6, 768});
  EXPECT_EQ(refusal(), "image: patches: got shape [6, 768], expected [6, 6912]");
}

// V58: 2x - 1. The first norm takes it out again, so the patches themselves are the tap to look at.
TEST_F(UnifiedMiniature, V58PixelsStayBetween0And1) {
  TapRecorder taps;
  embed(taps);
  EXPECT_EQ(taps.at("unified.vision.patches").values, values_of(patches_));
  const auto ln1 = taps.at("unified.vision.ln1").values;
  patches_ = Real(2) * patches_ - Real(1);
  embed(taps);
  expect_near(taps.at("unified.vision.ln1").values, ln1, 1e-3);
}

// V59 is seen where a patch is nearly flat.
TEST_F(UnifiedMiniature, V59EpsIsNotTheConfigs) {
  patches_ *= Real(0x1p-6);
  TapRecorder taps;
  embed(taps);
  const auto norm = [&](double eps) {
    return values_of(layer_norm(patches_, weights_.patch_ln1.weight, weights_.patch_ln1.bias, eps));
  };
  expect_avoided(taps.at("unified.vision.ln1").values, norm(1e-5), norm(config_.rms_norm_eps),
                 bound_of(1e-4, 1e-12));
}

// V60: the file has [row, axis, channel], the encoders' have [axis, row, channel].
TEST_F(UnifiedMiniature, V60TableIsRowAxisChannel) {
  const auto file = filled(208, 8 * 2 * 16, 0.5);
  const auto place = [&](std::size_t p, bool axis_first) {
    const auto x = static_cast<std::size_t>(positions_(p, 0));
    const auto y = static_cast<std::size_t>(positions_(p, 1));
    std::vector<double> sum;
    for (std::size_t d = 0; d < 16; ++d) {
      const std::size_t of_x = axis_first ? x : 2 * x;
      const std::size_t of_y = axis_first ? 8 + y : 2 * y + 1;
      sum.push_back(static_cast<double>(file[of_x * 16 + d]) +
                    static_cast<double>(file[of_y * 16 + d]));
    }
    return sum;
  };
  TapRecorder taps;
  embed(taps);
  const auto before = taps.at("unified.vision.ln2").row(4);
  auto added = taps.at("unified.vision.pos_add").row(4);
  for (std::size_t d = 0; d < 16; ++d) {
    added[d] -= before[d];
  }
  expect_avoided(added, place(4, false), place(4, true), bound_of(1e-6, 1e-14));
}

// V61: the third norm left out, or the position added in front of the second.
TEST_F(UnifiedMiniature, V61OrderOfNormsAndPosition) {
  TapRecorder taps;
  embed(taps);
  const auto& added = taps.at("unified.vision.pos_add").values;
  const auto& dense = taps.at("unified.vision.dense").values;
  const auto& ln2 = taps.at("unified.vision.ln2").values;
  const auto norm = [](const std::vector<double>& x, const LayerNormWeights& w) {
    return values_of(layer_norm(tensor_of<R, D>({6, 16}, x), w.weight, w.bias, 1e-5));
  };
  const double bound = bound_of(1e-5, 1e-13);
  expect_avoided(taps.at("unified.vision.ln3").values, norm(added, weights_.pos_norm), added,
                 bound);
  auto early = dense;
  for (std::size_t i = 0; i < early.size(); ++i) {
    early[i] += added[i] - ln2[i];
  }
  expect_avoided(ln2, norm(dense, weights_.patch_ln2), norm(early, weights_.patch_ln2), bound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
