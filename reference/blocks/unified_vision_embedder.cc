// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/unified_vision_embedder.h"

#include "reference/blocks/multimodal_embedder.h"
#include "reference/blocks/patch_grid.h"
#include "reference/blocks/vision_patch_embedder.h"
#include "reference/ops/layer_norm.h"
#include "reference/ops/linear.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Tensor<R, D> norm(const Tensor<R, D>& x, const LayerNormWeights& w) {
  return layer_norm(x, w.weight, w.bias, UnifiedVisionConfig::kLayerNormEps);
}

}  // namespace

Tensor<R, D> unified_vision_embedder(const UnifiedVisionWeights& w, const Tensor<O, I>& projection,
                                     const UnifiedVisionConfig& config, const Tensor<R, I>& patches,
                                     const IntTensor<R, A>& positions, const TapScope& tap) {
  const PatchGrid grid = patch_grid(positions, config.mm_posemb_size);
  check_shape(patches, {positions.shape()[0], config.patch_width()}, "image: patches");
  const TapScope at = tap.under("unified.vision.");

  auto pixels = take_rows(patches, grid.real);  // [R, 3 * 48 * 48]
  at.whole("patches", pixels);
  auto h = norm(pixels, w.patch_ln1);  // [R, 3 * 48 * 48]
  at.whole("ln1", h);
  h = linear(h, w.patch_dense) + w.patch_dense_bias;  // [R, D]
  at.whole("dense", h);
  h = norm(h, w.patch_ln2);  // [R, D]
  at.whole("ln2", h);
  h += position_embedding(w.pos_embedding, take_rows(positions, grid.real));  // [R, D]
  at.whole("pos_add", h);
  h = norm(h, w.pos_norm);  // [R, D]
  at.whole("ln3", h);
  return multimodal_embedder(h, projection, config.rms_norm_eps, EmbedOrder::kNormThenProject,
                             tap.under("vision."));  // [R, Dtext]
}

}  // namespace assay::ASSAY_REFERENCE
