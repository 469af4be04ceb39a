// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/vision_angles.h"

#include <cmath>

#include "optimized/engine/row_buffer.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kAxes = 2;

}  // namespace

VisionAngles vision_angles(const VisionConfig& config, std::span<const std::int32_t> positions) {
  const std::size_t pairs = config.head_dim / (2 * kAxes);
  VisionAngles angles;
  for (std::size_t j = 0; j < pairs; ++j) {
    const auto exponent = -2.0 * static_cast<double>(j) / static_cast<double>(2 * pairs);
    angles.frequencies.push_back(std::pow(config.rope_theta, exponent));
  }
  for (const std::int32_t position : positions) {
    for (const double frequency : angles.frequencies) {
      angles.cos.push_back(static_cast<float>(std::cos(position * frequency)));
      angles.sin.push_back(static_cast<float>(std::sin(position * frequency)));
    }
  }
  return angles;
}

void emit_angles(const TapScope& tap, std::span<const std::int32_t> positions,
                 const std::vector<double>& frequencies) {
  if (!tap.wants("rope.angles")) {
    return;
  }
  RowBuffer buffer;
  const std::size_t pairs = frequencies.size();
  const Rows angles = buffer.shape(positions.size() / kAxes, 2 * kAxes * pairs);
  for (std::size_t t = 0; t < angles.rows; ++t) {
    for (std::size_t c = 0; c < angles.columns; ++c) {
      const std::int32_t position = positions[kAxes * t + c / (2 * pairs)];
      angles.row(t)[c] = static_cast<float>(position * frequencies[c % pairs]);
    }
  }
  tap("rope.angles", angles);
}

}  // namespace assay::cpu
