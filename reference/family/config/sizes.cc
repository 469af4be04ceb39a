// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/sizes.h"

#include <array>

namespace assay {
namespace {

constexpr ReleasedDrafter kSmallDrafter{256, 2048, 4, 2048, 32};
constexpr ReleasedDrafter kLargeDrafter{1024, 8192, 16, 0, 0};
constexpr ReleasedDrafter kLargestDrafter{1024, 8192, 32, 0, 0};
constexpr ReleasedVision kSmallVision{768, 3072, 16, 12, 64, true, false};
constexpr ReleasedVision kLargeVision{1152, 4304, 27, 16, 72, false, true};
constexpr ReleasedVision kNoVision{};
constexpr auto kEncoder = ReleasedAudio::kEncoder;
constexpr auto kUnified = ReleasedAudio::kUnified;
constexpr auto kNone = ReleasedAudio::kNone;

// In the order of the fields: names; layers, widths, heads; window, period; per-layer input, shared
// layers; what doubles and what is equal; experts; positions; drafter and encoders.
// clang-format off
constexpr std::array kSizes = {
    ReleasedSize{"e2b", "E2B", false, 35, 1536, 6144, 8, 1, 0, 512, 5, 256, 20, true, false,
                 0, 0, 0, 131072, kSmallDrafter, kSmallVision, kEncoder},
    ReleasedSize{"e4b", "E4B", false, 42, 2560, 10240, 8, 2, 0, 512, 6, 256, 18, false, false,
                 0, 0, 0, 131072, kSmallDrafter, kSmallVision, kEncoder},
    ReleasedSize{"12b", "12B", true, 48, 3840, 15360, 16, 8, 1, 1024, 6, 0, 0, false, true,
                 0, 0, 0, 262144, kLargeDrafter, kNoVision, kUnified},
    ReleasedSize{"26b", "26B-A4B", false, 30, 2816, 2112, 16, 8, 2, 1024, 6, 0, 0, false, true,
                 128, 8, 704, 262144, kLargeDrafter, kLargeVision, kNone},
    ReleasedSize{"31b", "31B", false, 60, 5376, 21504, 32, 16, 4, 1024, 6, 0, 0, false, true,
                 0, 0, 0, 262144, kLargestDrafter, kLargeVision, kNone},
};
// clang-format on

}  // namespace

std::span<const ReleasedSize> released_sizes() {
  return kSizes;
}

const ReleasedSize* find_size(std::string_view name) {
  for (const ReleasedSize& size : kSizes) {
    if (size.name == name) {
      return &size;
    }
  }
  return nullptr;
}

std::string size_names() {
  std::string names;
  for (const ReleasedSize& size : kSizes) {
    names += (names.empty() ? "" : ", ") + std::string(size.name);
  }
  return names;
}

std::string size_titles(bool (*belongs)(const ReleasedSize&)) {
  std::string titles;
  for (const ReleasedSize& size : kSizes) {
    if (belongs(size)) {
      titles += (titles.empty() ? "" : ", ") + std::string(size.title);
    }
  }
  return titles;
}

}  // namespace assay
