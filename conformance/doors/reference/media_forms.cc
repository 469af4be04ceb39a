// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/media_forms.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "conformance/doors/status_of.h"

namespace assay::ASSAY_REFERENCE {
namespace {

using conformance::MediaItem;

constexpr double kLargest = std::numeric_limits<std::int32_t>::max();

// What is wrong with an array: its shape, or its number of values.
void check_array(const MediaItem::Array& array, std::size_t rank, const std::string& what) {
  std::size_t count = 1;
  for (const std::size_t extent : array.shape) {
    count *= extent;
  }
  if (array.shape.size() != rank || count != array.values.size() || count == 0) {
    throw Error(what + ": got shape " + shape_string(array.shape) + " with " +
                std::to_string(array.values.size()) + " values, expected " + std::to_string(rank) +
                " axes and as many values");
  }
}

template <class... Axes>
Tensor<Axes...> tensor_from(const MediaItem::Array& array, const std::string& what) {
  constexpr std::size_t kRank = sizeof...(Axes);
  check_array(array, kRank, what);
  std::array<std::size_t, kRank> shape{};
  std::copy(array.shape.begin(), array.shape.end(), shape.begin());
  auto tensor = make_tensor<Axes...>(shape);
  std::transform(array.values.begin(), array.values.end(), tensor.begin(),
                 [](double value) { return static_cast<Real>(value); });
  return tensor;
}

IntTensor<R, A> positions_from(const MediaItem::Array& array, const std::string& what) {
  check_array(array, 2, what);
  auto positions = IntTensor<R, A>::from_shape({array.shape[0], array.shape[1]});
  std::transform(array.values.begin(), array.values.end(), positions.begin(), [](double value) {
    return static_cast<std::int32_t>(std::clamp(value, -1.0, kLargest));
  });
  return positions;
}

Image image_from(const MediaItem::Array& array, const std::string& what) {
  check_array(array, 3, what);
  if (array.shape[2] != 3) {
    throw Error(what + ": got shape " + shape_string(array.shape) + ", expected [h, w, 3]");
  }
  Image image{{array.shape[0], array.shape[1]}, std::vector<std::uint8_t>(array.values.size())};
  std::transform(array.values.begin(), array.values.end(), image.rgb.begin(), [](double value) {
    return static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
  });
  return image;
}

// What this build lacks is said before the file is opened.
MediaContent content_of(const MediaItem& item, const std::string& name,
                        const FrameChoice& frames = {}) {
  const auto bytes = std::as_bytes(std::span(item.file));
  if (needs_ffmpeg(bytes, item.kind) && !video_support()) {
    throw conformance::NotBuilt(name +
                                ": got a video, or audio as videos have it, expected a "
                                "build that reads videos (with FFmpeg)");
  }
  return decode_media(bytes, item.kind, name, frames);
}

std::size_t forms_of(const MediaItem& item) {
  std::size_t forms = item.file.empty() ? 0 : 1;
  for (const auto* array : {&item.rgb, &item.patches, &item.samples, &item.mel, &item.audio_rows}) {
    forms += array->given() ? 1 : 0;
  }
  return forms;
}

void read_image(const MediaItem& item, const std::string& name, MediaInput& input) {
  if (!item.file.empty()) {
    input.rgb = std::get<Image>(content_of(item, name));
  } else if (item.rgb.given()) {
    input.rgb = image_from(item.rgb, name + ": rgb");
  } else if (item.patches.given()) {
    input.patches = tensor_from<R, I>(item.patches, name + ": patches");
    input.positions = positions_from(item.positions, name + ": positions");
  }
}

void read_audio(const MediaItem& item, const std::string& name, MediaInput& input) {
  if (!item.file.empty()) {
    input.samples = std::get<Audio>(content_of(item, name)).samples;
  } else if (item.samples.given()) {
    check_array(item.samples, 1, name + ": samples");
    input.samples = std::vector<float>(item.samples.values.begin(), item.samples.values.end());
  } else if (item.mel.given()) {
    input.mel = tensor_from<T, F>(item.mel, name + ": mel");
    for (const double valid : item.mel_mask.values) {
      input.mel_valid.push_back(valid != 0);
    }
  } else if (item.audio_rows.given()) {
    input.rows = tensor_from<T, I>(item.audio_rows, name + ": rows");
  }
}

}  // namespace

Video video_of(const MediaItem& item, const std::string& name, const ProcessorConfig& processor) {
  const std::size_t frames = item.num_frames != 0 ? item.num_frames : processor.num_frames;
  return std::get<Video>(content_of(item, name, {.count = frames, .rate = item.frame_rate}));
}

MediaInput frame_input(const MediaItem& video, Image frame) {
  MediaInput input;
  input.kind = MediaKind::kFrame;
  input.budget = video.budget;
  input.rgb = std::move(frame);
  return input;
}

MediaInput input_of(const MediaItem& item, const std::string& name) {
  if (const std::size_t forms = forms_of(item); forms != 1) {
    throw Error(name + " (" + media_kind_name(item.kind) + "): got " + std::to_string(forms) +
                " forms, expected one");
  }
  MediaInput input;
  input.kind = item.kind;
  input.budget = item.budget;
  switch (item.kind) {
    case MediaKind::kImage:
    case MediaKind::kFrame:
      read_image(item, name, input);
      return input;
    case MediaKind::kAudio:
      read_audio(item, name, input);
      return input;
    case MediaKind::kVideo:
      break;
  }
  throw Error(name + ": got a medium " + media_kind_name(item.kind) +
              ", expected an image, a frame or an audio clip");
}

}  // namespace assay::ASSAY_REFERENCE
