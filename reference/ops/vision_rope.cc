// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/vision_rope.h"

#include <cmath>

namespace assay::ASSAY_REFERENCE {
namespace {

VisionRopeTable empty_table(std::size_t patches, std::size_t head_dim) {
  return {make_tensor<T, H>({patches, head_dim}), make_tensor<T, H>({patches, head_dim}),
          make_tensor<T, H>({patches, head_dim})};
}

void set_angle(VisionRopeTable& table, std::size_t t, std::size_t h, double angle) {
  table.angles(t, h) = static_cast<Real>(angle);
  table.cos(t, h) = static_cast<Real>(std::cos(angle));
  table.sin(t, h) = static_cast<Real>(std::sin(angle));
}

}  // namespace

VisionRopeTable vision_rope_table(const IntTensor<T, A>& positions, std::size_t head_dim,
                                  double theta) {
  const std::size_t patches = positions.shape()[0];
  check_shape(positions, {patches, 2}, "vision_rope_table: positions");
  if (head_dim == 0 || head_dim % 4 != 0) {
    throw Error("vision_rope_table: head_dim: got " + std::to_string(head_dim) +
                ", expected a multiple of 4");
  }
  const std::size_t axis_width = head_dim / 2;  // a
  const std::size_t pairs = axis_width / 2;     // m
  auto table = empty_table(patches, head_dim);
  for (std::size_t t = 0; t < patches; ++t) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      for (std::size_t j = 0; j < pairs; ++j) {
        const double exponent = -2.0 * static_cast<double>(j) / static_cast<double>(axis_width);
        const double angle = static_cast<double>(positions(t, axis)) * std::pow(theta, exponent);
        set_angle(table, t, axis * axis_width + j, angle);
        set_angle(table, t, axis * axis_width + pairs + j, angle);
      }
    }
  }
  return table;
}

VisionRopeTable vision_rope_table(const Tensor<T, H>& angles) {
  auto table = empty_table(angles.shape()[0], angles.shape()[1]);
  for (std::size_t t = 0; t < angles.shape()[0]; ++t) {
    for (std::size_t h = 0; h < angles.shape()[1]; ++h) {
      set_angle(table, t, h, static_cast<double>(angles(t, h)));
    }
  }
  return table;
}

Tensor<T, N, H> vision_rope(const Tensor<T, N, H>& x, const VisionRopeTable& table) {
  const std::size_t patches = x.shape()[0];
  const std::size_t heads = x.shape()[1];
  const std::size_t width = x.shape()[2];
  check_shape(table.cos, {patches, width}, "vision_rope: cos");
  check_shape(table.sin, {patches, width}, "vision_rope: sin");

  const std::size_t pairs = width / 4;  // m
  Tensor<T, N, H> y = Tensor<T, N, H>::from_shape(x.shape());
  for (std::size_t t = 0; t < patches; ++t) {
    for (std::size_t n = 0; n < heads; ++n) {
      for (std::size_t c = 0; c < 2 * pairs; ++c) {
        const std::size_t first = c < pairs ? c : c + pairs;  // o + j
        const std::size_t second = first + pairs;             // o + m + j
        y(t, n, first) =
            x(t, n, first) * table.cos(t, first) - x(t, n, second) * table.sin(t, first);
        y(t, n, second) =
            x(t, n, second) * table.cos(t, second) + x(t, n, first) * table.sin(t, second);
      }
    }
  }
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
