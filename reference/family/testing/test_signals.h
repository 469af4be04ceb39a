// SPDX-License-Identifier: Apache-2.0
// For tests: the images and audio clips of golden/tables, and a hash of bytes.
//
// Closed forms in exact arithmetic; scripts/golden/make_resize_vectors.py and
// make_log_mel_vectors.py hold the same ones.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "reference/family/preprocess/image.h"

namespace assay {

// CRC-32 of IEEE 802.3.
inline std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
    }
  }
  return ~crc;
}

inline std::uint32_t hashed(std::uint32_t seed, std::uint32_t index) {
  std::uint32_t a = index * 2654435761u + seed * 40503u + 12345u;
  a ^= a >> 15;
  a *= 2246822519u;
  return a ^ (a >> 13);
}

// noise: any byte; binary: 0 or 255; board: squares of 0 and 255; ramp: a slope that wraps.
inline Image test_image(const std::string& kind, std::uint32_t seed, ImageSize size) {
  Image image{size, {}};
  std::uint32_t index = 0;
  for (std::uint32_t y = 0; y < size.height; ++y) {
    for (std::uint32_t x = 0; x < size.width; ++x) {
      for (std::uint32_t c = 0; c < 3; ++c, ++index) {
        const std::uint32_t noise = hashed(seed, index) >> 24;
        std::uint32_t value = noise;
        if (kind == "ramp") {
          value = (37 * x + 59 * y + 83 * c + seed) % 256;
        } else if (kind == "board") {
          value = (x / (1 + seed % 5) + y / (1 + seed / 5 % 5)) % 2 * 255;
        } else if (kind == "binary") {
          value = noise / 128 * 255;
        }
        image.rgb.push_back(static_cast<std::uint8_t>(value));
      }
    }
  }
  return image;
}

// Nearly a sine, exactly computable: one period in 2^32.
inline double parabola(std::uint32_t phase) {
  const double p = static_cast<double>(static_cast<std::int32_t>(phase)) / 2147483648.0;
  return 4 * p * (1 - std::abs(p));
}

struct TestSignal {
  std::string kind;  // noise, tone, chirp, square, pulses, silence
  double amplitude = 1;
  std::uint32_t parameter = 0;
};

inline std::vector<float> test_signal(const TestSignal& signal, std::size_t count) {
  std::vector<float> samples;
  std::uint32_t word = signal.parameter;
  for (std::size_t i = 0; i < count; ++i) {
    const auto n = static_cast<std::uint32_t>(i);
    double value = 0;
    if (signal.kind == "noise") {
      word = 1664525u * word + 1013904223u;
      value = 2 * (static_cast<double>(word >> 8) / 16777216.0) - 1;
    } else if (signal.kind == "tone") {
      value = parabola(n * signal.parameter);
    } else if (signal.kind == "chirp") {
      value = parabola(n * n * signal.parameter);
    } else if (signal.kind == "square") {
      value = n / signal.parameter % 2 == 0 ? 1 : -1;
    } else if (signal.kind == "pulses") {
      value = n % signal.parameter == 0 ? 1 : 0;
    }
    samples.push_back(static_cast<float>(signal.amplitude * value));
  }
  return samples;
}

// The two golden signals of spec multimodal 5.2: a second of two tones, and noise.
inline std::vector<float> two_tones() {
  std::vector<float> samples;
  for (int n = 0; n < 16000; ++n) {
    const double turn = 2 * std::numbers::pi * n / 16000;
    samples.push_back(
        static_cast<float>(0.5 * std::sin(440 * turn) + 0.25 * std::sin(3000 * turn + 1)));
  }
  return samples;
}

inline std::vector<float> test_noise(std::size_t count = 9000) {
  return test_signal({"noise", 0.1, 12345}, count);
}

}  // namespace assay
