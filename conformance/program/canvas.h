// SPDX-License-Identifier: Apache-2.0
// An image to draw on: lines, rectangles and small numbers, clipped to its edges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "reference/family/preprocess/image.h"

namespace assay::program {

struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

struct Rectangle {
  std::size_t left = 0;
  std::size_t top = 0;
  std::size_t width = 0;
  std::size_t height = 0;
};

class Canvas {
 public:
  explicit Canvas(ImageSize size, Colour background = {});
  explicit Canvas(Image image) : image_(std::move(image)) {}

  // opacity 1 replaces what is there, 0.5 mixes with it.
  void fill(Rectangle area, Colour colour, double opacity = 1);

  // Digits, 's', 'k', 'H', 'z', '.', ':' and '-', each 3 x 5 dots of `scale` pixels, a dot between.
  void text(std::size_t left, std::size_t top, std::string_view text, Colour colour,
            std::size_t scale = 1);
  static std::size_t text_width(std::string_view text, std::size_t scale = 1);

  const Image& image() const { return image_; }

 private:
  Image image_;
};

}  // namespace assay::program
