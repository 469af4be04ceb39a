// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/media_forms.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <span>
#include <utility>

#include "conformance/doors/status_of.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

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

RawRows rows_from(const MediaItem::Array& array, const std::string& what) {
  check_array(array, 2, what);
  return {array.shape[0], array.shape[1], array.values};
}

std::vector<std::int32_t> positions_from(const MediaItem::Array& array, std::size_t patches,
                                         const std::string& what) {
  check_array(array, 2, what);
  if (array.shape[0] != patches || array.shape[1] != 2) {
    throw Error(what + ": got shape " + shape_string(array.shape) + ", expected [" +
                std::to_string(patches) + ", 2]");
  }
  std::vector<std::int32_t> positions(array.values.size());
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
    throw NotBuilt(name +
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

void read_image(const MediaItem& item, const std::string& name, RawMedia& input) {
  if (!item.file.empty()) {
    input.rgb = std::get<Image>(content_of(item, name));
  } else if (item.rgb.given()) {
    input.rgb = image_from(item.rgb, name + ": rgb");
  } else if (item.patches.given()) {
    input.patches = rows_from(item.patches, name + ": patches");
    input.positions = positions_from(item.positions, input.patches->rows, name + ": positions");
  }
}

void read_audio(const MediaItem& item, const std::string& name, RawMedia& input) {
  if (!item.file.empty()) {
    input.samples = std::get<Audio>(content_of(item, name)).samples;
  } else if (item.samples.given()) {
    check_array(item.samples, 1, name + ": samples");
    input.samples = std::vector<float>(item.samples.values.begin(), item.samples.values.end());
  } else if (item.mel.given()) {
    input.mel = rows_from(item.mel, name + ": mel");
    const auto& mask = item.mel_mask.values;
    if (!mask.empty() && mask.size() != input.mel->rows) {
      throw Error(name + ": mel mask: got " + std::to_string(mask.size()) + " entries, expected " +
                  std::to_string(input.mel->rows) + ", one for each frame");
    }
    std::ranges::transform(mask, std::back_inserter(input.mel_valid),
                           [](double valid) { return valid != 0; });
  } else if (item.audio_rows.given()) {
    input.audio_rows = rows_from(item.audio_rows, name + ": rows");
  }
}

}  // namespace

bool is_raw(const MediaItem& item) {
  return item.values.empty();
}

Video video_of(const MediaItem& item, const std::string& name, const ProcessorConfig& processor) {
  const std::size_t frames = item.num_frames != 0 ? item.num_frames : processor.num_frames;
  return std::get<Video>(content_of(item, name, {.count = frames, .rate = item.frame_rate}));
}

RawMedia frame_input(const MediaItem& video, Image frame) {
  RawMedia input;
  input.kind = MediaKind::kFrame;
  input.budget = video.budget;
  input.rgb = std::move(frame);
  return input;
}

RawMedia input_of(const MediaItem& item, const std::string& name) {
  if (const std::size_t forms = forms_of(item); forms != 1) {
    throw Error(name + " (" + media_kind_name(item.kind) + "): got " + std::to_string(forms) +
                " forms, expected one");
  }
  RawMedia input;
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

}  // namespace assay::conformance
