// SPDX-License-Identifier: Apache-2.0
// Which frames of a video are looked at, and the time stamps put before them.
//
//   index_j = floor(j * T / F),   j = 0 ... F-1, in integers;   seconds_j = index_j / fps
//   F is given, or else F = max(1, trunc(T / fps * rate)) of a wanted rate
//
// Spec: RX-1, RX-2, RX-4.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reference/family/config/soft_tokens.h"

namespace assay {

constexpr double kDefaultFramesPerSecond = 24;  // when the file does not say

// How many frames: `count`, or by `rate` per second where that is not 0. Of a video with fewer
// than `count` frames all are looked at where `or_all`, else it is an error, as in transformers.
struct FrameChoice {
  std::size_t count = kVideoFrames;
  double rate = 0;
  bool or_all = false;
};

// F. Throws Error for a count of 0, for more frames than there are, and for a rate without `fps`.
std::size_t frame_count(std::size_t frames_in_video, double fps, const FrameChoice& choice);

// Throws Error when there are fewer frames than asked for.
std::vector<std::size_t> frame_indices(std::size_t frames_in_video, std::size_t num_frames);

std::vector<double> frame_seconds(const std::vector<std::size_t>& indices, double fps);

// "mm:ss", both at least two digits, fractions cut.
std::string timestamp(double seconds);

}  // namespace assay
