// SPDX-License-Identifier: Apache-2.0
#include "reference/model/image_preprocessor.h"

#include <algorithm>
#include <utility>

#include "reference/blocks/patch_grid.h"
#include "reference/family/preprocess/resize.h"
#include "reference/model/emit_values.h"

namespace assay::ASSAY_REFERENCE {
namespace {

PatchInput as_tensors(const Patches& patches) {
  PatchInput input;
  input.patches = make_tensor<R, I>({patches.count(), patches.width});
  std::copy(patches.values.begin(), patches.values.end(), input.patches.begin());
  input.positions = IntTensor<R, A>::from_shape({patches.count(), 2});
  std::copy(patches.positions.begin(), patches.positions.end(), input.positions.begin());
  return input;
}

template <class AnyTensor>
void put_rows(AnyTensor& x, const std::vector<std::size_t>& slots, AnyTensor& rows) {
  const std::size_t width = x.shape()[1];
  for (std::size_t r = 0; r < slots.size(); ++r) {
    const auto source = row(rows, r, width);
    std::copy(source.begin(), source.end(), row(x, slots[r], width).begin());
  }
}

// Whether positions that a listener wrote still say where each patch lies.
bool same_grid(const IntTensor<R, A>& positions, std::size_t table_rows, const PatchGrid& grid) {
  try {
    const PatchGrid other = patch_grid(positions, table_rows);
    return other.real.size() == grid.real.size() && other.columns == grid.columns &&
           other.rows == grid.rows;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

PatchInput image_preprocessor(Image file, const PatchOptions& options, const TapScope& tap) {
  emit_values<3>(tap, "image.rgb", {file.size.height, file.size.width, 3}, file.rgb);
  PreprocessedImage image = preprocess_image(file, options);
  std::vector<std::size_t> target = {image.target.height, image.target.width};
  emit_values<1>(tap, "image.target_size", {2}, target);
  if (!is_float(options.profile.image_resample)) {
    const std::vector<std::uint8_t> ours = image.resized.rgb;
    emit_values<3>(tap, "image.resized", {image.target.height, image.target.width, 3},
                   image.resized.rgb);
    if (image.resized.rgb != ours) {
      image.patches = cut_patches(image.resized, options);
    }
  }
  std::vector<std::size_t> count = {image.num_soft_tokens};
  emit_values<1>(tap, "image.num_soft_tokens", {1}, count);
  return as_tensors(image.patches);
}

void emit_patches(PatchInput& image, std::size_t table_rows, const TapScope& tap) {
  if (!tap.wants("image.patches") && !tap.wants("image.positions")) {
    return;
  }
  const PatchGrid grid = patch_grid(image.positions, table_rows);
  auto patches = take_rows(image.patches, grid.real);
  tap.whole("image.patches", patches);
  put_rows(image.patches, grid.real, patches);
  auto shown = take_rows(image.positions, grid.real);
  tap.whole("image.positions", shown);
  if (same_grid(shown, table_rows, grid)) {
    put_rows(image.positions, grid.real, shown);
  }
}

PatchInput with_padding(PatchInput image, std::size_t slots) {
  const std::size_t count = image.patches.shape()[0];
  if (count >= slots) {
    return image;
  }
  PatchInput padded;
  padded.patches = make_tensor<R, I>({slots, image.patches.shape()[1]});
  std::copy(image.patches.begin(), image.patches.end(), padded.patches.begin());
  padded.positions = IntTensor<R, A>::from_shape({slots, 2});
  padded.positions.fill(-1);
  std::copy(image.positions.begin(), image.positions.end(), padded.positions.begin());
  return padded;
}

}  // namespace assay::ASSAY_REFERENCE
