// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/video_frames.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/family/base/error.h"

namespace assay {
namespace {

constexpr double kMostSeconds = 1e9;  // some thirty years: minutes stay integers

std::string two_digits(double whole) {
  const std::string digits = std::to_string(static_cast<long>(whole));
  return digits.size() < 2 ? "0" + digits : digits;
}

}  // namespace

std::size_t frame_count(std::size_t frames_in_video, double fps, const FrameChoice& choice) {
  if (choice.rate == 0) {
    return choice.or_all && frames_in_video > 0 ? std::min(choice.count, frames_in_video)
                                                : choice.count;
  }
  if (!(choice.rate > 0) || !std::isfinite(choice.rate) || !(fps > 0) || !std::isfinite(fps)) {
    throw Error("video: frames per second: got " + std::to_string(choice.rate) + " wanted of " +
                std::to_string(fps) + ", expected positive numbers");
  }
  const double wanted = static_cast<double>(frames_in_video) / fps * choice.rate;
  if (wanted >= static_cast<double>(frames_in_video) + 1) {
    throw Error("video: frames per second: got " + std::to_string(choice.rate) +
                " wanted, expected at most the " + std::to_string(fps) + " of the file");
  }
  return std::max<std::size_t>(1, static_cast<std::size_t>(wanted));
}

std::vector<std::size_t> frame_indices(std::size_t frames_in_video, std::size_t num_frames) {
  if (num_frames == 0) {
    throw Error("video: frames to look at: got 0, expected at least 1");
  }
  if (frames_in_video < num_frames) {
    throw Error("video: frames: got " + std::to_string(frames_in_video) + ", expected at least " +
                std::to_string(num_frames));
  }
  if (frames_in_video > std::numeric_limits<std::size_t>::max() / num_frames) {
    throw Error("video: frames: got " + std::to_string(frames_in_video) + ", expected fewer");
  }
  std::vector<std::size_t> indices;
  for (std::size_t j = 0; j < num_frames; ++j) {
    indices.push_back(j * frames_in_video / num_frames);
  }
  return indices;
}

std::vector<double> frame_seconds(const std::vector<std::size_t>& indices, double fps) {
  if (!(fps > 0) || !std::isfinite(fps)) {
    throw Error("video: frames per second: got " + std::to_string(fps) +
                ", expected a positive number");
  }
  std::vector<double> seconds(indices.begin(), indices.end());
  for (double& s : seconds) {
    s /= fps;
  }
  return seconds;
}

std::string timestamp(double seconds) {
  if (!(seconds >= 0 && seconds <= kMostSeconds)) {
    throw Error("video: seconds: got " + std::to_string(seconds) + ", expected 0 ... 1e9");
  }
  const double whole = std::floor(seconds);
  return two_digits(std::floor(whole / 60)) + ":" + two_digits(std::fmod(whole, 60));
}

}  // namespace assay
