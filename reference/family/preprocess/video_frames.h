// SPDX-License-Identifier: Apache-2.0
// Which frames of a video are looked at, and the time stamps put before them.
//
//   index_j = floor(j * T / F),   j = 0 ... F-1, in integers;   seconds_j = index_j / fps
//
// Spec: RX-1, RX-4.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace assay {

constexpr double kDefaultFramesPerSecond = 24;  // when the file does not say

// Throws Error when there are fewer frames than asked for.
std::vector<std::size_t> frame_indices(std::size_t frames_in_video, std::size_t num_frames);

std::vector<double> frame_seconds(const std::vector<std::size_t>& indices, double fps);

// "mm:ss", both at least two digits, fractions cut.
std::string timestamp(double seconds);

}  // namespace assay
