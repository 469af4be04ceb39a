// SPDX-License-Identifier: Apache-2.0
// Frames and audio track of a video file (Matroska, WebM, MP4, MOV, AVI), through FFmpeg's
// libraries.
//
// Frames per second are those that the time stamps tell: the rate that the file states where every
// frame keeps to it within a tick of the file's clock, else frames over duration,
//   fps = T / (end of the last packet - begin of the first)
// as torchcodec's exact mode has it, the first choice of transformers 5.22; a stated average is
// often a guess (DIV-M48).
//
// An optional component: without them video_support() is false and reading throws an Error that
// says how to get it. Which frames are kept is spec multimodal 4. Spec: RX-1, RX-2.
//
// The file is decoded twice: first its frames are counted and nothing is kept, then the chosen ones
// are; so memory is bounded by their number. RGB of a codec that loses nothing comes out as it went
// in; YUV is converted by swscale, which lies outside what the suite grades. Any damage that the
// decoder sees is an error.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference/family/media/audio_file.h"
#include "reference/family/preprocess/image.h"
#include "reference/family/preprocess/video_frames.h"

namespace assay {

constexpr std::size_t kMaxVideoFileBytes = 1u << 30;
constexpr std::size_t kMaxVideoFrames = 1u << 17;         // decoded: 73 minutes at 30 fps
constexpr std::size_t kMaxVideoPixels = 1ull << 36;       // decoded: 18 minutes of 1920 x 1080
constexpr std::size_t kMaxKeptVideoPixels = 400'000'000;  // 1.2 GB of RGB

struct Video {
  std::size_t frames_in_file = 0;
  double fps = 0;                    // by the time stamps; 0: the file does not say
  bool fps_varies = false;           // its frames keep to no rate
  std::vector<std::size_t> indices;  // of the frames below, in the file
  std::vector<double> seconds;       // of each, by fps or else kDefaultFramesPerSecond
  std::vector<Image> frames;         // upright RGB, all of one size
  std::optional<Audio> audio;        // the first audio track
};

bool video_support();
bool looks_like_video(std::span<const std::byte> bytes);
Video decode_video(std::span<const std::byte> bytes, const std::string& name,
                   const FrameChoice& choice = {});

// The first audio track of such a file, or of AAC without a container. Throws Error without one.
Audio decode_audio_track(std::span<const std::byte> bytes, const std::string& name);

}  // namespace assay
