// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/vision_patch_embedder.h"

#include "reference/ops/linear.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> position_embedding(const PositionTable& table, const IntTensor<T, A>& positions) {
  const std::size_t patches = positions.shape()[0];
  const std::size_t width = table.x.shape()[1];
  auto sum = make_tensor<T, D>({patches, width});
  for (std::size_t t = 0; t < patches; ++t) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      if (positions(t, axis) < 0) {
        continue;
      }
      const auto place = static_cast<std::size_t>(positions(t, axis));
      const Tensor<R, D>& rows = axis == 0 ? table.x : table.y;
      for (std::size_t d = 0; d < width; ++d) {
        sum(t, d) += rows(place, d);
      }
    }
  }
  return sum;
}

Tensor<T, D> vision_patch_embedder(const PatchEmbedderWeights& w, const Tensor<T, I>& patches,
                                   const IntTensor<T, A>& positions, const TapScope& tap) {
  Tensor<T, I> pixels = Real(2) * (patches - Real(0.5));  // [T, 3 P P] in [-1, 1]
  tap.whole("pixels_pm1", pixels);
  auto projected = linear(pixels, w.input_proj);  // [T, D]
  tap.whole("patch_proj", projected);
  auto place = position_embedding(w.position_embedding_table, positions);  // [T, D]
  tap.whole("pos_embed", place);
  Tensor<T, D> h = projected + place;
  tap.whole("patch_embed", h);
  return h;
}

}  // namespace assay::ASSAY_REFERENCE
