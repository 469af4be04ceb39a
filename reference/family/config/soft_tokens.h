// SPDX-License-Identifier: Apache-2.0
// How images of the family are cut: the same numbers for every released size.
//
//   16 x 16 pixels   a patch
//    3 x  3 patches  a soft token, 48 x 48 pixels
//
// The budget is the largest number of soft tokens that an image may make. Spec: RI-2, RI-9.
#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace assay {

inline constexpr std::size_t kPatchSize = 16;         // pixels
inline constexpr std::size_t kPoolingKernelSize = 3;  // patches
inline constexpr std::size_t kPatchesPerSoftToken = kPoolingKernelSize * kPoolingKernelSize;

inline constexpr std::array<std::size_t, 5> kSoftTokenBudgets = {70, 140, 280, 560, 1120};
inline constexpr std::size_t kImageBudget = 280;
inline constexpr std::size_t kFrameBudget = 70;  // of one frame of a video
inline constexpr std::size_t kVideoFrames = 32;

bool is_budget(std::size_t soft_tokens);

// "70, 140, 280, 560 or 1120"
std::string budgets_text();

}  // namespace assay
