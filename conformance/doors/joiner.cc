// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/joiner.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

std::size_t product(std::span<const std::size_t> shape) {
  std::size_t count = 1;
  for (const std::size_t extent : shape) {
    count *= extent;
  }
  return count;
}

[[noreturn]] void fail(std::string_view tap, const std::string& got, const std::string& expected) {
  throw Error(std::string(tap) + ": got " + got + ", expected " + expected);
}

void check_keys(const TensorView& part, TapAxes axes, std::span<const std::size_t> keys,
                std::size_t tokens) {
  const bool first = axes == TapAxes::kKeys;
  const std::size_t extent = first ? part.shape.front() : part.shape.back();
  if (keys.size() != extent) {
    fail(part.name, std::to_string(keys.size()) + " indices of keys",
         std::to_string(extent) + ", one for each");
  }
  const auto beyond = std::ranges::find_if(keys, [&](std::size_t key) { return key >= tokens; });
  if (beyond != keys.end()) {
    fail(part.name, "key " + std::to_string(*beyond),
         "one of the prompt's " + std::to_string(tokens) + " tokens");
  }
}

}  // namespace

Joiner::Joined& Joiner::joined(const TensorView& part, TapAxes axes) {
  const auto [found, fresh] = index_.try_emplace(std::string(part.name), taps_.size());
  if (fresh) {
    taps_.push_back({std::string(part.name), part.dtype, {}, {}, 0});
  }
  Joined& tap = taps_[found->second];
  std::vector<std::size_t> shape(part.shape.begin(), part.shape.end());
  if (axes != TapAxes::kWhole) {
    shape.front() = tokens_;
  }
  if (axes == TapAxes::kRowsByKeys) {
    shape.back() = tokens_;
  }
  if (fresh) {
    tap.shape = shape;
    tap.bytes.resize(product(shape) * size_of(part.dtype));
    tap.row_bytes = shape.empty() || shape.front() == 0 ? 0 : tap.bytes.size() / shape.front();
  }
  if (part.dtype != tap.dtype) {
    fail(part.name, "another dtype than in an earlier call", "the same");
  }
  if (axes != TapAxes::kWhole && shape != tap.shape) {
    fail(part.name, "shape " + shape_string(part.shape), "the rows of " + shape_string(tap.shape));
  }
  return tap;
}

void Joiner::add(const TensorView& part, TapAxes axes, std::span<const std::size_t> keys) {
  if (axes == TapAxes::kWhole) {
    Joined& tap = joined(part, axes);
    tap.shape.assign(part.shape.begin(), part.shape.end());
    tap.bytes.resize(part.elements() * size_of(part.dtype));
    std::memcpy(tap.bytes.data(), part.data, tap.bytes.size());
    return;
  }
  const std::size_t least = axes == TapAxes::kRowsByKeys ? 2 : 1;
  if (part.shape.size() < least) {
    fail(part.name, "shape " + shape_string(part.shape),
         "at least " + std::to_string(least) + " axes");
  }
  if (axes != TapAxes::kRows) {
    check_keys(part, axes, keys, tokens_);
  }
  const std::size_t rows = part.shape.front();
  if (axes != TapAxes::kKeys && (first_token_ > tokens_ || rows > tokens_ - first_token_)) {
    fail(part.name,
         std::to_string(rows) + " rows from token " + std::to_string(first_token_) + " on",
         "rows of the prompt's " + std::to_string(tokens_) + " tokens");
  }
  Joined& tap = joined(part, axes);
  axes == TapAxes::kRowsByKeys ? add_lines(part, keys, tap) : add_rows(part, axes, keys, tap);
}

void Joiner::add_rows(const TensorView& part, TapAxes axes, std::span<const std::size_t> keys,
                      Joined& to) const {
  const auto* from = static_cast<const std::byte*>(part.data);
  for (std::size_t r = 0; r < part.shape.front(); ++r) {
    const std::size_t row = axes == TapAxes::kKeys ? keys[r] : first_token_ + r;
    std::memcpy(to.bytes.data() + row * to.row_bytes, from + r * to.row_bytes, to.row_bytes);
  }
}

// Lines of keys: one a row, or one for each head of it.
void Joiner::add_lines(const TensorView& part, std::span<const std::size_t> keys,
                       Joined& to) const {
  const std::size_t size = size_of(part.dtype);
  const std::size_t rows = part.shape.front();
  const std::size_t lines = keys.empty() ? 0 : part.elements() / keys.size();
  const std::size_t first = rows == 0 ? 0 : first_token_ * (lines / rows);
  const auto* from = static_cast<const std::byte*>(part.data);
  for (std::size_t line = 0; line < lines; ++line) {
    std::byte* row = to.bytes.data() + (first + line) * tokens_ * size;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      std::memcpy(row + keys[k] * size, from + (line * keys.size() + k) * size, size);
    }
  }
}

void Joiner::finish() {
  for (const Joined& tap : taps_) {
    listener_.on_tap({tap.name, tap.dtype, tap.shape, tap.bytes.data()});
  }
}

}  // namespace assay::conformance
