// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/inspect_media.h"

#include <cstdio>
#include <iostream>

#include "conformance/program/draw_media.h"
#include "reference/family/base/error.h"
#include "reference/family/base/mapped_file.h"
#include "reference/family/config/sizes.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/media_file.h"
#include "reference/family/media/video_container.h"
#include "reference/family/preprocess/image_patches.h"
#include "reference/family/preprocess/log_mel.h"
#include "reference/family/preprocess/target_size.h"
#include "reference/family/preprocess/video_frames.h"

namespace assay::program {
namespace {

// How every size with a vision encoder cuts images; the 12B joins nine patches into one.
PatchOptions patches_of(MediaKind kind, const InspectOptions& options) {
  ModelConfig released;
  released.vision = VisionConfig();
  return patch_options(released, kind, options.budget, Profile());
}

void print_budgets(ImageSize size) {
  std::cout << "budget  resized      patches    soft tokens\n";
  for (const std::size_t budget : kSoftTokenBudgets) {
    PatchOptions options;
    options.budget = budget;
    const ImageSize target = target_size(size, {.max_patches = kPatchesPerSoftToken * budget});
    std::printf("  %-5zu %5zu x %-5zu %4zu x %-4zu %zu\n", budget, target.width, target.height,
                target.width / kPatchSize, target.height / kPatchSize,
                image_soft_tokens(size, options));
  }
  std::fflush(stdout);
}

void save(const std::string& path, const Image& image) {
  if (!path.empty()) {
    write_png(path, image);
    std::cout << path << ": " << image.size.width << " x " << image.size.height << "\n";
  }
}

void inspect_image(const Image& image, const InspectOptions& options) {
  const PatchOptions patches = patches_of(MediaKind::kImage, options);
  std::cout << "image, " << image.size.width << " x " << image.size.height
            << " pixels (width x height)\n";
  print_budgets(image.size);
  const PreprocessedImage done = preprocess_image(image, patches);
  std::cout << "at " << patches.budget << ": " << done.patches.columns << " x " << done.patches.rows
            << " patches, " << done.num_soft_tokens << " soft tokens\n";
  save(options.png, draw_patch_grid(done.resized, patches));
}

void inspect_audio(const Audio& audio, const InspectOptions& options) {
  const LogMel mel = log_mel(audio.samples);
  std::cout << "audio, " << audio.file_rate << " Hz, " << audio.file_channels << " channel"
            << (audio.file_channels == 1 ? "" : "s") << "; " << audio.samples.size()
            << " samples at 16000 Hz";
  if (audio.samples.size() > kMaxAudioSamples) {
    std::cout << ", of which the first " << kMaxAudioSamples << " count";
  }
  std::cout << "\n"
            << mel.frames << " log-mel frames of " << kMelBins << ", "
            << audio_soft_tokens(mel.frames) << " soft tokens (" << size_titles(has_audio_encoder)
            << "); " << (audio.samples.size() + 639) / 640 << " rows of 640 samples (12B)\n";
  if (mel.frames == 0) {
    std::cout << "too short: 161 samples make the first frame\n";
    if (!options.png.empty()) {
      throw Error(options.path + ": got no log-mel frame, expected one to draw");
    }
    return;
  }
  save(options.png, draw_log_mel(mel));
}

void inspect_video(const Video& video, const InspectOptions& options) {
  const double fps = video.fps > 0 ? video.fps : kDefaultFramesPerSecond;
  const ImageSize size = video.frames.front().size;
  const PatchOptions patches = patches_of(MediaKind::kFrame, options);
  const std::size_t tokens = image_soft_tokens(size, patches);
  std::cout << "video, " << video.frames_in_file << " frames at " << fps
            << (video.fps > 0 ? "" : " (assumed)") << " per second"
            << (video.fps_varies ? " on average" : "") << ", " << size.width << " x " << size.height
            << " pixels; "
            << (video.audio ? "an audio track of " + std::to_string(video.audio->samples.size()) +
                                  " samples at 16000 Hz"
                            : std::string("no audio track"))
            << "\n"
            << video.frames.size() << " frames of " << tokens << " soft tokens:";
  for (const double seconds : video.seconds) {
    std::cout << " " << timestamp(seconds);
  }
  std::cout << "\n";
  if (options.frames == 0 && options.fps == 0 && video.frames.size() < kVideoFrames) {
    std::cout << "short: transformers refuses fewer than " << kVideoFrames
              << " frames unless it is told their number\n";
  }
  save(options.png, draw_frames(video.frames, video.seconds, patches));
}

}  // namespace

bool is_media_file(const std::string& path) {
  return media_kind_of(MappedFile::open(path, path).bytes()).has_value();
}

void refuse_media_not_read(const std::string& path) {
  const std::string name = file_label(path);
  const MappedFile file = MappedFile::open(path, path);
  const auto kind = file_kind(file.bytes());
  const auto refuse = [&](std::string_view thing, std::string_view formats) {
    throw Error(name + ": " + std::string(thing) + ": " +
                got_kind_text(file.bytes(), name, formats));
  };
  if (kind && kind->group == FileGroup::kImage) {
    refuse("image", kImageFormats);
  }
  if (kind && kind->group == FileGroup::kAudio) {
    refuse("audio", kAudioFormats);
  }
  if (kind && kind->group == FileGroup::kVideo) {
    refuse("video", kVideoFormats);
  }
}

int inspect_media(const InspectOptions& options) {
  const auto kind = media_kind_of(MappedFile::open(options.path, options.path).bytes());
  FrameChoice frames{.rate = options.fps, .or_all = options.frames == 0};
  frames.count = options.frames == 0 ? kVideoFrames : options.frames;
  const auto content = read_media_file(options.path, kind.value_or(MediaKind::kVideo), frames);
  if (const auto* image = std::get_if<Image>(&content)) {
    inspect_image(*image, options);
  } else if (const auto* audio = std::get_if<Audio>(&content)) {
    inspect_audio(*audio, options);
  } else {
    inspect_video(std::get<Video>(content), options);
  }
  return 0;
}

}  // namespace assay::program
