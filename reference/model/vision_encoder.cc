// SPDX-License-Identifier: Apache-2.0
#include "reference/model/vision_encoder.h"

#include <numeric>

#include "reference/blocks/real_row_taps.h"
#include "reference/blocks/vision_layer.h"
#include "reference/blocks/vision_patch_embedder.h"
#include "reference/blocks/vision_pooler.h"
#include "reference/weights/load_vision_weights.h"

namespace assay::ASSAY_REFERENCE {
namespace {

// The slots that are computed: the patches alone, or the patches and then the padding.
std::vector<std::size_t> computed_slots(const PatchGrid& grid, VisionPadMask pad_mask) {
  std::vector<std::size_t> slots = grid.real;
  if (pad_mask == VisionPadMask::kAdditiveBool) {
    slots.insert(slots.end(), grid.padding.begin(), grid.padding.end());
  }
  return slots;
}

Tensor<T, D> first_rows(const Tensor<T, D>& x, std::size_t count) {
  std::vector<std::size_t> rows(count);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return take_rows(x, rows);
}

VisionRopeTable rope_of(const IntTensor<R, A>& positions, const VisionConfig& config,
                        const TapScope& tap) {
  auto table = vision_rope_table(positions, config.head_dim, config.rope_theta);
  auto angles = table.angles;  // [T, H]
  tap.whole("rope.angles", angles);
  return angles == table.angles ? table : vision_rope_table(angles);
}

}  // namespace

VisionEncoder::VisionEncoder(const WeightReader& reader, const VisionConfig& config,
                             const Profile& profile)
    : reader_(reader), config_(config), profile_(profile) {}

Tensor<R, D> VisionEncoder::encode(const Tensor<R, I>& patches, const IntTensor<R, A>& positions,
                                   const TapScope& tap) const {
  const PatchGrid grid = patch_grid(positions, config_.position_embedding_size);
  check_pools(grid, config_.pooling_kernel_size);
  check_shape(patches, {positions.shape()[0], config_.patch_width()}, "image: patches");

  const auto slots = computed_slots(grid, profile_.vision_pad_mask);
  RealRowTaps without_padding(tap, grid.real.size());
  const bool padded = slots.size() > grid.real.size();
  const VisionCall call{{}, profile_.vision_pad_mask, grid.real.size()};
  auto h = run_layers(take_rows(patches, slots), take_rows(positions, slots), call,
                      padded ? TapScope(without_padding, "") : tap);  // [T, D]

  std::optional<StandardizeWeights> standardize;
  if (config_.standardize) {
    standardize = load_standardize(reader_);
  }
  const auto real_positions = take_rows(positions, grid.real);
  h = first_rows(h, grid.real.size());  // patches stand before padding
  auto y = vision_pooler(h, real_positions, grid.columns, config_.pooling_kernel_size, standardize,
                         tap);  // [R, D]
  tap.whole("tower_out", y);
  return y;
}

Tensor<T, D> VisionEncoder::run_layers(const Tensor<R, I>& patches,
                                       const IntTensor<R, A>& positions, VisionCall call,
                                       const TapScope& tap) const {
  auto h = vision_patch_embedder(load_patch_embedder(reader_), patches, positions, tap);  // [T, D]
  call.rope = rope_of(positions, config_, tap);
  for (std::size_t i = 0; i < config_.num_hidden_layers; ++i) {
    const auto weights = load_vision_layer(reader_, config_, i);  // dropped before the next
    h = vision_layer(weights, config_, std::move(h), call,
                     tap.under("layer." + std::to_string(i) + "."));  // [T, D]
  }
  return h;
}

}  // namespace assay::ASSAY_REFERENCE
