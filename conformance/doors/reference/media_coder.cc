// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/media_coder.h"

#include <algorithm>

#include "reference/model/emit_values.h"

namespace assay::ASSAY_REFERENCE {
namespace {

template <class... Axes>
std::optional<Tensor<Axes...>> tensor_from(const std::optional<RawRows>& rows) {
  if (!rows) {
    return std::nullopt;
  }
  auto tensor = make_tensor<Axes...>({rows->rows, rows->width});
  std::transform(rows->values.begin(), rows->values.end(), tensor.begin(),
                 [](double value) { return static_cast<Real>(value); });
  return tensor;
}

MediaInput input_from(const RawMedia& media) {
  MediaInput input;
  input.kind = media.kind;
  input.budget = media.budget;
  input.rgb = media.rgb;
  input.patches = tensor_from<R, I>(media.patches);
  input.positions = IntTensor<R, A>::from_shape({media.positions.size() / 2, 2});
  std::copy(media.positions.begin(), media.positions.end(), input.positions.begin());
  input.samples = media.samples;
  input.mel = tensor_from<T, F>(media.mel);
  input.mel_valid = media.mel_valid;
  input.rows = tensor_from<T, I>(media.audio_rows);
  return input;
}

}  // namespace

conformance::MediaItem ReferenceCoder::encode(const RawMedia& media, std::size_t run) {
  const auto soft = encoder_.encode(input_from(media), scope(run));
  return conformance::soft_item(media.kind, soft.shape()[0], soft.shape()[1], soft);
}

void ReferenceCoder::emit_video(Video& video, std::size_t run) {
  emit_values<1>(scope(run), "video.frame_indices", {video.indices.size()}, video.indices);
  emit_values<1>(scope(run), "video.timestamps", {video.seconds.size()}, video.seconds);
}

}  // namespace assay::ASSAY_REFERENCE
