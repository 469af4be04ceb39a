// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/load_processor_config.h"

#include <string>
#include <utility>

#include "reference/family/base/directory.h"
#include "reference/family/config/parse_media_config.h"

namespace assay {
namespace {

constexpr IntegerRange kBudgetRange{1, 1u << 16};
constexpr IntegerRange kFramesRange{1, 1u << 16};
constexpr NumberRange kByteScale{0.00392156, 0.00392158};  // 1/255

// The patches of the image are those that the encoder takes.
struct Patch {
  std::size_t patch_size = kPatchSize;
  std::size_t pooling_kernel_size = kPoolingKernelSize;
};

Patch patch_of(const ModelConfig& config) {
  if (config.unified_vision) {
    return {config.unified_vision->patch_size, config.unified_vision->pooling_kernel_size};
  }
  return config.vision ? Patch{config.vision->patch_size, config.vision->pooling_kernel_size}
                       : Patch{};
}

// What images and frames have in common.
void check_pixels(const JsonObject& part, const Patch& patch) {
  part.expect("do_resize", true);
  part.expect("do_rescale", true);
  part.expect("resample", 3u);  // bicubic
  part.number_or("rescale_factor", kByteScale, 1.0 / 255);
  if (part.boolean_or("do_normalize", false)) {
    part.expect("image_mean", Json::Array{0.0, 0.0, 0.0});
    part.expect("image_std", Json::Array{1.0, 1.0, 1.0});
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

void check_audio(const JsonObject& part, const ModelConfig& config) {
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

// Reads parts into a model's config, and of each part only the first that it meets.
class PartReader {
 public:
  explicit PartReader(ModelConfig& config) : config_(&config) {}

  void read_image(const JsonObject& part);
  void read_video(const JsonObject& part);
  void read_audio(const JsonObject& part);
  void read_all(const JsonObject& root);

 private:
  bool has_images() const { return config_->vision || config_->unified_vision; }
  bool has_audio() const { return config_->audio || config_->unified_audio; }

  ModelConfig* config_;
  bool image_seen_ = false;
  bool video_seen_ = false;
  bool audio_seen_ = false;
};

void PartReader::read_image(const JsonObject& part) {
  if (has_images() && !image_seen_) {
    check_pixels(part, patch_of(*config_));
    read_budget(part, config_->processor.image_max_soft_tokens);
  }
  image_seen_ = true;
}

void PartReader::read_video(const JsonObject& part) {
  if (has_images() && !video_seen_) {
    check_pixels(part, patch_of(*config_));
    part.expect("fps", nullptr);
    read_budget(part, config_->processor.video_max_soft_tokens);
    std::size_t& frames = config_->processor.num_frames;
    frames = part.integer_or("num_frames", kFramesRange, frames);
  }
  video_seen_ = true;
}

void PartReader::read_audio(const JsonObject& part) {
  if (has_audio() && !audio_seen_) {
    check_audio(part, *config_);
  }
  audio_seen_ = true;
}

void PartReader::read_all(const JsonObject& root) {
  if (root.has("image_processor")) {
    read_image(root.object("image_processor"));
  }
  if (root.has("video_processor")) {
    read_video(root.object("video_processor"));
  }
  if (root.has("feature_extractor")) {
    read_audio(root.object("feature_extractor"));
  }
}

// Hands the whole of a file to `read`, if it is there.
template <class Read>
void read_file(const std::filesystem::path& directory, const char* name, Read read) {
  if (std::filesystem::exists(directory / name)) {
    const Json document = parse_json_file(file_inside(directory, name), name, kMaxConfigBytes);
    read(JsonObject(&document, name, ""));
  }
}

}  // namespace

void parse_processor_config(std::string_view text, std::string_view label, ModelConfig& config) {
  const Json document = parse_json(text, label);
  PartReader(config).read_all(JsonObject(&document, std::string(label), ""));
}

void load_processor_config(const std::filesystem::path& directory, ModelConfig& config) {
  if (!config.vision && !config.unified_vision && !config.audio && !config.unified_audio) {
    return;
  }
  PartReader parts(config);
  read_file(directory, "processor_config.json",
            [&](const JsonObject& root) { parts.read_all(root); });
  // One name for two parts: its type tells which.
  read_file(directory, "preprocessor_config.json", [&](const JsonObject& root) {
    root.has("feature_extractor_type") ? parts.read_audio(root) : parts.read_image(root);
  });
  read_file(directory, "video_preprocessor_config.json",
            [&](const JsonObject& root) { parts.read_video(root); });
}

}  // namespace assay
