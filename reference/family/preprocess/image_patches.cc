// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/image_patches.h"

#include <algorithm>

#include "reference/family/base/error.h"
#include "reference/family/preprocess/resize.h"
#include "reference/family/preprocess/target_size.h"

namespace assay {
namespace {

constexpr std::size_t kChannels = 3;

void check_budget(std::size_t budget) {
  if (!is_budget(budget)) {
    throw Error("image: budget: got " + std::to_string(budget) + " soft tokens, expected " +
                budgets_text());
  }
}

// v = byte / 255, rounded once to fp32.
std::vector<float> rescale(const std::vector<std::uint8_t>& bytes) {
  std::vector<float> v(bytes.size());
  std::transform(bytes.begin(), bytes.end(), v.begin(),
                 [](std::uint8_t byte) { return static_cast<float>(byte) / 255.0f; });
  return v;
}

std::vector<float> rescale(const std::vector<double>& values) {
  std::vector<float> v(values.size());
  std::transform(values.begin(), values.end(), v.begin(),
                 [](double value) { return static_cast<float>(value / 255); });
  return v;
}

// Patch p = rows first, then columns; inside: row, column, channel.
Patches cut_patches(const std::vector<float>& v, ImageSize size, std::size_t side) {
  Patches patches;
  patches.columns = size.width / side;
  patches.rows = size.height / side;
  patches.width = kChannels * side * side;
  const std::size_t run = side * kChannels;  // one row of pixels of one patch
  for (std::size_t py = 0; py < patches.rows; ++py) {
    for (std::size_t px = 0; px < patches.columns; ++px) {
      for (std::size_t r = 0; r < side; ++r) {
        const std::size_t pixel = (py * side + r) * size.width + px * side;
        const float* first = &v[pixel * kChannels];
        patches.values.insert(patches.values.end(), first, first + run);
      }
      patches.positions.push_back(static_cast<std::int32_t>(px));
      patches.positions.push_back(static_cast<std::int32_t>(py));
    }
  }
  return patches;
}

std::size_t side_of(const PatchOptions& options) {
  return options.merged ? options.patch_size * options.pooling_kernel_size : options.patch_size;
}

ImageSize target_of(ImageSize size, const PatchOptions& options) {
  check_budget(options.budget);
  const std::size_t pool = options.pooling_kernel_size;
  return target_size(size, {options.patch_size, options.budget * pool * pool, pool});
}

}  // namespace

PatchOptions patch_options(const ModelConfig& config, MediaKind kind, std::size_t budget,
                           const Profile& profile) {
  if (!config.vision && !config.unified_vision) {
    throw Error("image: got a checkpoint that takes none, expected one with a vision encoder");
  }
  PatchOptions options;
  options.budget = budget != 0                 ? budget
                   : kind == MediaKind::kFrame ? config.processor.video_max_soft_tokens
                                               : config.processor.image_max_soft_tokens;
  options.merged = config.unified_vision.has_value();
  options.patch_size =
      options.merged ? config.unified_vision->patch_size : config.vision->patch_size;
  options.pooling_kernel_size = options.merged ? config.unified_vision->pooling_kernel_size
                                               : config.vision->pooling_kernel_size;
  options.profile = profile;
  return options;
}

Patches cut_patches(const Image& resized, const PatchOptions& options) {
  return cut_patches(rescale(resized.rgb), resized.size, side_of(options));
}

std::size_t image_soft_tokens(ImageSize size, const PatchOptions& options) {
  const ImageSize target = target_of(size, options);
  const std::size_t soft_token = options.patch_size * options.pooling_kernel_size;  // pixels
  return (target.height / soft_token) * (target.width / soft_token);
}

PreprocessedImage preprocess_image(const Image& image, const PatchOptions& options) {
  PreprocessedImage out;
  out.target = target_of(image.size, options);
  std::vector<float> v;  // [th, tw, 3]
  if (is_float(options.profile.image_resample)) {
    v = rescale(resize_float(image, out.target));
    if (options.profile.image_resample == ImageResample::kFloatClamped) {
      std::ranges::for_each(v, [](float& value) { value = std::clamp(value, 0.0F, 1.0F); });
    }
  } else {
    out.resized = resize_bytes(image, out.target,
                               options.profile.image_resample == ImageResample::kTorchvision
                                   ? ByteWeights::kInt16
                                   : ByteWeights::k22Bits);
    v = rescale(out.resized.rgb);
  }
  out.patches = cut_patches(v, out.target, side_of(options));
  out.num_soft_tokens = image_soft_tokens(image.size, options);
  return out;
}

}  // namespace assay
