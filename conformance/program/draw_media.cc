// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/draw_media.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "conformance/program/canvas.h"
#include "reference/family/preprocess/video_frames.h"

namespace assay::program {
namespace {

constexpr Colour kPaper{255, 255, 255};
constexpr Colour kInk{30, 30, 30};
constexpr Colour kPatchLine{255, 255, 255};
constexpr Colour kTokenLine{255, 200, 0};
constexpr Colour kShade{0, 0, 0};
constexpr std::size_t kMargin = 40;  // pixels around a log-mel
constexpr std::size_t kBinHeight = 3;
constexpr std::size_t kFramesPerToken = 4;

// From dark to bright, as light grows: violet, blue, green, yellow.
Colour heat(double level) {
  constexpr std::array<std::array<double, 3>, 5> kStops = {
      {{20, 8, 40}, {60, 60, 140}, {30, 140, 140}, {110, 200, 90}, {250, 230, 60}}};
  const double place = std::clamp(level, 0.0, 1.0) * (kStops.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(place), kStops.size() - 2);
  const double share = place - static_cast<double>(low);
  const auto channel = [&](std::size_t c) {
    return static_cast<std::uint8_t>((1 - share) * kStops[low][c] + share * kStops[low + 1][c]);
  };
  return {channel(0), channel(1), channel(2)};
}

void draw_grid(Canvas& canvas, ImageSize size, std::size_t step, Colour colour, double opacity) {
  for (std::size_t x = 0; x <= size.width; x += step) {
    canvas.fill({x, 0, 1, size.height}, colour, opacity);
  }
  for (std::size_t y = 0; y <= size.height; y += step) {
    canvas.fill({0, y, size.width, 1}, colour, opacity);
  }
}

void number_tokens(Canvas& canvas, ImageSize size, std::size_t step) {
  constexpr std::size_t kScale = 2;
  std::size_t token = 0;
  for (std::size_t y = 0; y < size.height; y += step) {
    for (std::size_t x = 0; x < size.width; x += step) {
      const std::string name = std::to_string(token);
      canvas.fill({x + 2, y + 2, Canvas::text_width(name, kScale) + 2, 14}, kShade, 0.55);
      canvas.text(x + 4, y + 4, name, kTokenLine, kScale);
      ++token;
    }
  }
}

// Pixels a frame is wide: a short audio is drawn large enough to be seen.
std::size_t frame_width(std::size_t frames) {
  return std::clamp<std::size_t>(1200 / std::max<std::size_t>(1, frames), 1, 16);
}

void draw_levels(Canvas& canvas, const LogMel& mel, std::size_t width) {
  const auto [low, high] = std::minmax_element(mel.mel.begin(), mel.mel.end());
  const double range = std::max(1e-6, static_cast<double>(*high) - static_cast<double>(*low));
  for (std::size_t t = 0; t < mel.frames; ++t) {
    for (std::size_t f = 0; f < kMelBins; ++f) {
      const double value = static_cast<double>(mel.mel[t * kMelBins + f]);
      const std::size_t top = kMargin + (kMelBins - 1 - f) * kBinHeight;
      canvas.fill({kMargin + t * width, top, width, kBinHeight},
                  heat((value - static_cast<double>(*low)) / range));
    }
  }
}

// A tick every four frames, longer and numbered every tenth token.
void draw_token_ticks(Canvas& canvas, const LogMel& mel, std::size_t width) {
  const std::size_t bottom = kMargin + kMelBins * kBinHeight;
  const std::size_t tokens = audio_soft_tokens(mel.frames);
  const std::size_t numbered = kFramesPerToken * width >= 24 ? 1 : 10;
  for (std::size_t token = 0; token < tokens; ++token) {
    const std::size_t x = kMargin + token * kFramesPerToken * width;
    const bool named = token % numbered == 0;
    canvas.fill({x, bottom, 1, named ? std::size_t{8} : std::size_t{4}}, kInk);
    if (named) {
      canvas.text(x + 2, bottom + 10, std::to_string(token), kInk, 2);
    }
  }
}

void draw_seconds(Canvas& canvas, const LogMel& mel, std::size_t width) {
  constexpr std::size_t kFramesPerSecond = kSampleRate / kMelHop;
  const std::size_t step = mel.frames > 3 * kFramesPerSecond ? kFramesPerSecond : 10;
  for (std::size_t t = 0; t < mel.frames; t += step) {
    const std::size_t tenths = t * 10 / kFramesPerSecond;
    const std::string label = step == kFramesPerSecond ? std::to_string(tenths / 10) + "s"
                                                       : std::to_string(tenths / 10) + "." +
                                                             std::to_string(tenths % 10) + "s";
    canvas.fill({kMargin + t * width, kMargin - 8, 1, 8}, kInk);
    canvas.text(kMargin + t * width + 2, kMargin - 18, label, kInk, 2);
  }
}

// Where whole kilohertz lie among the bins, which are equally spaced in mel.
void draw_frequencies(Canvas& canvas) {
  const auto mel_of = [](double hertz) { return 2595.0 * std::log10(1.0 + hertz / 700.0); };
  for (const int kilohertz : {0, 1, 2, 4, 8}) {
    const double share = mel_of(1000.0 * kilohertz) / mel_of(8000.0);
    const auto up = static_cast<std::size_t>(share * kMelBins * kBinHeight);
    const std::size_t y = kMargin + kMelBins * kBinHeight - up;
    canvas.fill({kMargin - 6, y, 6, 1}, kInk);
    canvas.text(4, y < 5 ? 0 : y - 5, std::to_string(kilohertz) + "kHz", kInk, 2);
  }
}

}  // namespace

Image draw_patch_grid(const Image& resized, const PatchOptions& options) {
  Canvas canvas(resized);
  const std::size_t token = options.patch_size * options.pooling_kernel_size;
  draw_grid(canvas, resized.size, options.patch_size, kPatchLine, 0.25);
  draw_grid(canvas, resized.size, token, kTokenLine, 0.9);
  number_tokens(canvas, resized.size, token);
  return canvas.image();
}

Image draw_log_mel(const LogMel& mel) {
  const std::size_t width = frame_width(mel.frames);
  Canvas canvas({kMelBins * kBinHeight + 2 * kMargin, mel.frames * width + 2 * kMargin}, kPaper);
  draw_levels(canvas, mel, width);
  draw_token_ticks(canvas, mel, width);
  draw_seconds(canvas, mel, width);
  draw_frequencies(canvas);
  return canvas.image();
}

Image draw_frames(const std::vector<Image>& frames, const std::vector<double>& seconds,
                  const PatchOptions& options) {
  constexpr std::size_t kPerRow = 4;
  constexpr std::size_t kGap = 24;
  const ImageSize cell = preprocess_image(frames.front(), options).resized.size;
  const std::size_t columns = std::min(frames.size(), kPerRow);
  const std::size_t rows = (frames.size() + kPerRow - 1) / kPerRow;
  Image sheet =
      Canvas({rows * (cell.height + kGap), columns * (cell.width + kGap)}, kPaper).image();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Image drawn = draw_patch_grid(preprocess_image(frames[i], options).resized, options);
    const std::size_t left = i % kPerRow * (cell.width + kGap) + kGap / 2;
    const std::size_t top = i / kPerRow * (cell.height + kGap) + kGap - 4;
    for (std::size_t y = 0; y < cell.height && top + y < sheet.size.height; ++y) {
      std::copy_n(drawn.rgb.begin() + static_cast<std::ptrdiff_t>(y * cell.width * 3),
                  cell.width * 3,
                  sheet.rgb.begin() +
                      static_cast<std::ptrdiff_t>(((top + y) * sheet.size.width + left) * 3));
    }
  }
  Canvas canvas(std::move(sheet));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    canvas.text(i % kPerRow * (cell.width + kGap) + kGap / 2,
                i / kPerRow * (cell.height + kGap) + 4, timestamp(seconds[i]), kInk, 2);
  }
  return canvas.image();
}

}  // namespace assay::program
