// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/quantised_weight.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/base/number_formats.h"

namespace assay {
namespace {

std::size_t rounded_up(std::size_t dividend, std::size_t divisor) {
  return dividend / divisor + (dividend % divisor == 0 ? 0 : 1);
}

template <class Value>
CodeValues values_of(std::size_t count, Value value) {
  CodeValues values{};
  for (std::size_t code = 0; code < count; ++code) {
    values[code] = value(static_cast<std::uint8_t>(code));
  }
  return values;
}

class QuantisedWeight final : public ReadByGive<QuantisedWeight> {
 public:
  explicit QuantisedWeight(QuantisedLayout layout)
      : layout_(std::move(layout)),
        row_bytes_(layout_.codes.tensor->shape.back() *
                   layout_.codes.tensor->dtype.info().block_bytes),
        scales_per_row_(rounded_up(layout_.shape.back(), layout_.columns_per_scale)) {}

  std::string place() const override { return layout_.codes.place(); }
  const std::vector<std::size_t>& shape() const override { return layout_.shape; }
  bool is_floating() const override { return true; }
  std::string dtype() const override { return layout_.name; }

  // In pieces that have one scale.
  template <class Real>
  void give(std::size_t first, std::size_t count, Real* out) const {
    const std::byte* codes = layout_.codes.file->bytes(*layout_.codes.tensor).data();
    const std::size_t columns = layout_.shape.back();
    while (count > 0) {
      const std::size_t row = first / columns;
      const std::size_t column = first % columns;
      const std::size_t group = column / layout_.columns_per_scale;
      const std::size_t end = std::min((group + 1) * layout_.columns_per_scale, columns);
      const std::size_t size = std::min(end - column, count);
      const double factor = scale(row, column);
      for (std::size_t i = 0; i < size; ++i) {
        const std::uint8_t value = code(codes + row * row_bytes_, column + i);
        out[i] = static_cast<Real>(layout_.values[value] * factor);
      }
      first += size;
      count -= size;
      out += size;
    }
  }

  void release() const override {
    layout_.codes.file->release(*layout_.codes.tensor);
    layout_.scales.file->release(*layout_.scales.tensor);
  }

 private:
  double scale(std::size_t row, std::size_t column) const {
    const std::size_t index =
        row / layout_.rows_per_scale * scales_per_row_ + column / layout_.columns_per_scale;
    double value = 0;
    if (layout_.scales_are_exponents) {
      const auto code = layout_.scales.file->bytes(*layout_.scales.tensor)[index];
      value = float_from_e8m0(static_cast<std::uint8_t>(code));
    } else {
      layout_.scales.file->read(*layout_.scales.tensor, index, 1, &value);
    }
    return value / layout_.divided * layout_.multiplied;
  }

  std::uint8_t code(const std::byte* row, std::size_t column) const {
    const std::size_t at = column * layout_.bits;
    const auto byte = static_cast<unsigned>(row[at / 8]);
    return static_cast<std::uint8_t>((byte >> (at % 8)) & ((1u << layout_.bits) - 1u));
  }

  QuantisedLayout layout_;
  std::size_t row_bytes_;
  std::size_t scales_per_row_;
};

void check_codes(const QuantisedLayout& layout) {
  const StoredTensor& tensor = *layout.codes.tensor;
  const std::size_t bytes = tensor.dtype.info().block_bytes;
  std::vector<std::size_t> expected = layout.shape;
  expected.back() = rounded_up(rounded_up(layout.shape.back() * layout.bits, 8), bytes);
  if (tensor.shape != expected) {
    throw Error(layout.codes.place() + ": shape: got " + shape_string(tensor.shape) +
                ", expected " + shape_string(expected) + " for a weight " +
                shape_string(layout.shape) + " quantised as " + layout.name);
  }
}

void check_scales(const QuantisedLayout& layout) {
  const StoredTensor& tensor = *layout.scales.tensor;
  const std::size_t all_rows = num_elements(std::span(layout.shape).first(layout.shape.size() - 1));
  const std::size_t rows = rounded_up(all_rows, layout.rows_per_scale);
  const std::size_t columns = rounded_up(layout.shape.back(), layout.columns_per_scale);
  if (tensor.elements != rows * columns) {
    throw Error(layout.scales.place() + ": shape: got " + shape_string(tensor.shape) +
                ", expected " + shape_string(std::vector{rows, columns}) + " for a weight " +
                shape_string(layout.shape) + " quantised as " + layout.name);
  }
  if (layout.scales_are_exponents ? tensor.dtype.info().block_bytes != 1
                                  : !is_floating(tensor.dtype)) {
    throw Error(layout.scales.place() + ": dtype: got " + std::string(dtype_name(tensor.dtype)) +
                ", expected the scales of a weight quantised as " + layout.name);
  }
}

}  // namespace

CodeValues signed_bytes() {
  return values_of(256, [](std::uint8_t code) { return double(static_cast<std::int8_t>(code)); });
}

CodeValues offset_integers(unsigned bits) {
  const double offset = std::ldexp(1.0, static_cast<int>(bits) - 1);
  return values_of(std::size_t{1} << bits, [offset](std::uint8_t code) { return code - offset; });
}

CodeValues e2m1_values() {
  return values_of(16, float_from_e2m1);
}

CodeValues e4m3_values() {
  return values_of(256, float_from_e4m3);
}

CodeValues e5m2_values() {
  return values_of(256, float_from_e5m2);
}

std::unique_ptr<WeightSource> quantised_weight(QuantisedLayout layout) {
  check_codes(layout);
  check_scales(layout);
  return std::make_unique<QuantisedWeight>(std::move(layout));
}

}  // namespace assay
