// SPDX-License-Identifier: Apache-2.0
// An image as preprocessing takes it: upright, opaque, 8-bit RGB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace assay {

struct ImageSize {
  std::size_t height = 0;
  std::size_t width = 0;
  bool operator==(const ImageSize&) const = default;
};

struct Image {
  ImageSize size;
  std::vector<std::uint8_t> rgb;  // [height, width, 3]
};

}  // namespace assay
