// SPDX-License-Identifier: Apache-2.0
#include "reference/io/processor_config.h"

#include <functional>
#include <string>

#include "reference/io/directory.h"
#include "reference/io/media_config.h"

namespace assay {
namespace {

constexpr const char* kNested = "processor_config.json";
constexpr const char* kFlat = "preprocessor_config.json";
constexpr const char* kFlatVideo = "video_preprocessor_config.json";
constexpr IntegerRange kBudgetRange{1, 1u << 16};
constexpr IntegerRange kFramesRange{1, 1u << 16};
constexpr NumberRange kByteScale{0.00392156, 0.00392158};  // 1/255

using Reader = std::function<void(const JsonObject&)>;

// The patches of the picture are those that the encoder takes.
struct Patch {
  std::size_t patch_size = 16;
  std::size_t pooling_kernel_size = 3;
};

Patch patch_of(const ModelConfig& config) {
  if (config.unified_vision) {
    return {config.unified_vision->patch_size, config.unified_vision->pooling_kernel_size};
  }
  return config.vision ? Patch{config.vision->patch_size, config.vision->pooling_kernel_size}
                       : Patch{};
}

// What pictures and frames have in common.
void check_pixels(const JsonObject& part, const Patch& patch) {
  part.expect("do_resize", true);
  part.expect("do_rescale", true);
  part.expect("resample", 3u);  // bicubic
  part.number_or("rescale_factor", kByteScale, 1.0 / 255);
  if (part.boolean_or("do_normalize", false)) {
    part.expect("image_mean", Json::array({0.0, 0.0, 0.0}));
    part.expect("image_std", Json::array({1.0, 1.0, 1.0}));
  }
  part.expect("patch_size", patch.patch_size);
  part.expect("pooling_kernel_size", patch.pooling_kernel_size);
}

void read_budget(const JsonObject& part, std::size_t& budget) {
  constexpr const char* kKey = "max_soft_tokens";
  if (part.has(kKey)) {
    budget = part.integer(kKey, kBudgetRange);
    check_budget(part, kKey, budget);
  }
}

void check_sound(const JsonObject& part, const ModelConfig& config) {
  part.expect("sampling_rate", 16000u);
  part.expect("padding_side", "right");
  part.expect("padding_value", 0.0);
  if (config.unified_audio) {
    part.expect("audio_samples_per_token", config.unified_audio->audio_embed_dim);
    return;
  }
  const std::pair<const char*, double> released[] = {
      {"feature_size", 128}, {"fft_length", 512},      {"frame_length", 320}, {"hop_length", 160},
      {"min_frequency", 0},  {"max_frequency", 8000},  {"mel_floor", 0.001},  {"preemphasis", 0},
      {"dither", 0},         {"input_scale_factor", 1}};
  for (const auto& [key, value] : released) {
    part.expect(key, value);
  }
  part.expect("per_bin_mean", nullptr);
  part.expect("per_bin_stddev", nullptr);
}

// Hands the whole of a file to `reader`, if it is there.
bool read_file(const std::filesystem::path& directory, const char* name, const Reader& reader) {
  if (!std::filesystem::exists(directory / name)) {
    return false;
  }
  const Json document = parse_json_file(file_inside(directory, name), name, kMaxConfigBytes);
  reader(JsonObject(&document, name, ""));
  return true;
}

struct Parts {
  Reader image, video, sound;
};

void read_parts(const std::filesystem::path& directory, const Parts& parts) {
  bool image = false;
  bool video = false;
  bool sound = false;
  const auto part = [](const JsonObject& root, const char* key, const Reader& reader) {
    if (root.has(key)) {
      reader(root.object(key));
    }
    return root.has(key);
  };
  read_file(directory, kNested, [&](const JsonObject& root) {
    image = part(root, "image_processor", parts.image);
    video = part(root, "video_processor", parts.video);
    sound = part(root, "feature_extractor", parts.sound);
  });
  if (!image || !sound) {
    read_file(directory, kFlat, [&](const JsonObject& root) {
      if (!sound && root.has("feature_extractor_type")) {
        parts.sound(root);
      } else if (!image && !root.has("feature_extractor_type")) {
        parts.image(root);
      }
    });
  }
  if (!video) {
    read_file(directory, kFlatVideo, parts.video);
  }
}

}  // namespace

void load_processor_config(const std::filesystem::path& directory, ModelConfig& config) {
  const bool pictures = config.vision || config.unified_vision;
  const bool sounds = config.audio || config.unified_audio;
  if (!pictures && !sounds) {
    return;
  }
  Parts parts;
  parts.image = [&](const JsonObject& part) {
    if (pictures) {
      check_pixels(part, patch_of(config));
      read_budget(part, config.processor.image_max_soft_tokens);
    }
  };
  parts.video = [&](const JsonObject& part) {
    if (pictures) {
      check_pixels(part, patch_of(config));
      part.expect("fps", nullptr);
      read_budget(part, config.processor.video_max_soft_tokens);
      std::size_t& frames = config.processor.num_frames;
      frames = part.integer_or("num_frames", kFramesRange, frames);
    }
  };
  parts.sound = [&](const JsonObject& part) {
    if (sounds) {
      check_sound(part, config);
    }
  };
  read_parts(directory, parts);
}

}  // namespace assay
