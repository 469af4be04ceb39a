// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/inspect_media.h"

#include <cstdio>
#include <iostream>

#include "conformance/program/draw_media.h"
#include "reference/family/base/error.h"
#include "reference/family/base/mapped_file.h"
#include "reference/family/config/sizes.h"
#include "reference/family/media/audio_file.h"
#include "reference/family/media/image_file.h"
#include "reference/family/media/video_file.h"
#include "reference/family/preprocess/image_patches.h"
#include "reference/family/preprocess/log_mel.h"
#include "reference/family/preprocess/target_size.h"
#include "reference/family/preprocess/video_frames.h"

namespace assay::program {
namespace {

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

void inspect_image(const InspectOptions& options) {
  const Image image = read_image_file(options.path);
  PatchOptions patches;
  patches.budget = options.budget == 0 ? kImageBudget : options.budget;
  std::cout << "image, " << image.size.width << " x " << image.size.height
            << " pixels (width x height)\n";
  print_budgets(image.size);
  const PreprocessedImage done = preprocess_image(image, patches);
  std::cout << "at " << patches.budget << ": " << done.patches.columns << " x " << done.patches.rows
            << " patches, " << done.num_soft_tokens << " soft tokens\n";
  save(options.png, draw_patch_grid(done.resized, patches));
}

void inspect_audio(const InspectOptions& options) {
  const Audio audio = read_audio_file(options.path);
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

void inspect_video(const InspectOptions& options) {
  const std::size_t frames = options.frames == 0 ? kVideoFrames : options.frames;
  const Video video = read_video_file(options.path, frames);
  const double fps = video.fps > 0 ? video.fps : kDefaultFramesPerSecond;
  const ImageSize size = video.frames.front().size;
  PatchOptions patches;
  patches.budget = options.budget == 0 ? kFrameBudget : options.budget;
  const std::size_t tokens = image_soft_tokens(size, patches);
  std::cout << "video, " << video.frames_in_file << " frames at " << fps
            << (video.fps > 0 ? "" : " (assumed)") << " per second, " << size.width << " x "
            << size.height << " pixels; "
            << (video.audio ? "an audio track of " + std::to_string(video.audio->samples.size()) +
                                  " samples at 16000 Hz"
                            : std::string("no audio track"))
            << "\n"
            << frames << " frames of " << tokens << " soft tokens:";
  for (const double seconds : frame_seconds(video.indices, fps)) {
    std::cout << " " << timestamp(seconds);
  }
  std::cout << "\n";
  save(options.png, draw_frames(video.frames, frame_seconds(video.indices, fps), patches));
}

}  // namespace

bool is_media_file(const std::string& path) {
  const MappedFile file = MappedFile::open(path, path);
  return looks_like_image(file.bytes()) || looks_like_audio(file.bytes()) ||
         looks_like_video(file.bytes());
}

int inspect_media(const InspectOptions& options) {
  const MappedFile file = MappedFile::open(options.path, options.path);
  if (looks_like_image(file.bytes())) {
    inspect_image(options);
  } else if (looks_like_audio(file.bytes())) {
    inspect_audio(options);
  } else {
    inspect_video(options);
  }
  return 0;
}

}  // namespace assay::program
