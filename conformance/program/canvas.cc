// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/canvas.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace assay::program {
namespace {

constexpr std::size_t kGlyphWidth = 3;
constexpr std::size_t kGlyphHeight = 5;

// Five rows of three dots, the left one in the highest bit.
struct Glyph {
  char character;
  std::array<std::uint8_t, kGlyphHeight> rows;
};

constexpr std::array<Glyph, 17> kGlyphs = {{
    {'0', {7, 5, 5, 5, 7}},
    {'1', {2, 6, 2, 2, 7}},
    {'2', {7, 1, 7, 4, 7}},
    {'3', {7, 1, 3, 1, 7}},
    {'4', {5, 5, 7, 1, 1}},
    {'5', {7, 4, 7, 1, 7}},
    {'6', {7, 4, 7, 5, 7}},
    {'7', {7, 1, 2, 2, 2}},
    {'8', {7, 5, 7, 5, 7}},
    {'9', {7, 5, 7, 1, 7}},
    {'s', {0, 3, 2, 1, 3}},
    {'k', {4, 5, 6, 5, 5}},
    {'H', {5, 5, 7, 5, 5}},
    {'z', {0, 7, 1, 2, 7}},
    {'.', {0, 0, 0, 0, 2}},
    {':', {0, 2, 0, 2, 0}},
    {'-', {0, 0, 7, 0, 0}},
}};

std::uint8_t mix(std::uint8_t below, std::uint8_t above, double opacity) {
  return static_cast<std::uint8_t>(std::lround(opacity * above + (1 - opacity) * below));
}

}  // namespace

Canvas::Canvas(ImageSize size, Colour background) {
  image_.size = size;
  image_.rgb.resize(size.height * size.width * 3);
  fill({0, 0, size.width, size.height}, background);
}

void Canvas::fill(Rectangle area, Colour colour, double opacity) {
  const std::size_t right = std::min(area.left + area.width, image_.size.width);
  const std::size_t bottom = std::min(area.top + area.height, image_.size.height);
  for (std::size_t y = area.top; y < bottom; ++y) {
    for (std::size_t x = area.left; x < right; ++x) {
      std::uint8_t* pixel = &image_.rgb[(y * image_.size.width + x) * 3];
      pixel[0] = mix(pixel[0], colour.red, opacity);
      pixel[1] = mix(pixel[1], colour.green, opacity);
      pixel[2] = mix(pixel[2], colour.blue, opacity);
    }
  }
}

void Canvas::text(std::size_t left, std::size_t top, std::string_view text, Colour colour,
                  std::size_t scale) {
  for (const char c : text) {
    const auto glyph = std::ranges::find(kGlyphs, c, &Glyph::character);
    for (std::size_t y = 0; glyph != kGlyphs.end() && y < kGlyphHeight; ++y) {
      for (std::size_t x = 0; x < kGlyphWidth; ++x) {
        if ((glyph->rows[y] >> (kGlyphWidth - 1 - x) & 1) != 0) {
          fill({left + x * scale, top + y * scale, scale, scale}, colour);
        }
      }
    }
    left += (kGlyphWidth + 1) * scale;
  }
}

std::size_t Canvas::text_width(std::string_view text, std::size_t scale) {
  return text.size() * (kGlyphWidth + 1) * scale;
}

}  // namespace assay::program
