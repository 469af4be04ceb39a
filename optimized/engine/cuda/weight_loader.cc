// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/weight_loader.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <utility>

#include "optimized/packing/non_finite.h"
#include "reference/family/base/error.h"

namespace assay::cuda {
namespace {

constexpr std::size_t kAlign = 256;
constexpr std::size_t kChunk = std::size_t{1} << 22;  // numbers that are widened at a time

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

std::size_t elements(const std::vector<std::size_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

// Blocks of a file, taken apart: codes one after another, and scales.
struct Blocks {
  std::vector<std::byte> codes;
  std::vector<std::byte> scales;
};

Blocks taken_apart(std::span<const std::byte> bytes, std::size_t block_bytes) {
  Blocks blocks;
  blocks.codes.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size(); at += block_bytes) {
    const auto block = bytes.subspan(at, block_bytes);
    blocks.scales.insert(blocks.scales.end(), block.begin(), block.begin() + 2);
    blocks.codes.insert(blocks.codes.end(), block.begin() + 2, block.end());
  }
  return blocks;
}

std::size_t padded(std::size_t columns) {
  constexpr std::size_t kWith = 8;
  return (columns + kWith - 1) / kWith * kWith;
}

// Rows that are `row_bytes` long, each followed by zeros up to `stride`; empty where there are
// none.
std::vector<std::byte> with_zeros(std::span<const std::byte> rows, std::size_t row_bytes,
                                  std::size_t stride) {
  std::vector<std::byte> longer;
  if (stride > row_bytes) {
    longer.resize(rows.size() / row_bytes * stride);
    for (std::size_t r = 0; r * row_bytes < rows.size(); ++r) {
      std::memcpy(longer.data() + r * stride, rows.data() + r * row_bytes, row_bytes);
    }
  }
  return longer;
}

}  // namespace

WeightFormat WeightLoader::format_of(const std::string& name, std::size_t columns) const {
  const auto stored = checkpoint_.stored(name);
  if (!stored || stored->shape.back() != columns) {
    return WeightFormat::kF32;
  }
  const std::string_view dtype = dtype_name(stored->dtype);
  if (dtype == "BF16") {
    return WeightFormat::kBf16;
  }
  if (columns % kWeightBlock != 0) {
    return WeightFormat::kF32;
  }
  return dtype == "Q8_0"   ? WeightFormat::kQ8
         : dtype == "Q4_0" ? WeightFormat::kQ4
                           : WeightFormat::kF32;
}

void WeightLoader::matrix(const std::string& name, DeviceWeight& to,
                          std::span<const std::int64_t> order) {
  const auto& shape = checkpoint_.shape(name);
  Planned planned;
  planned.name = name;
  planned.order.assign(order.begin(), order.end());
  planned.columns = shape.back();
  planned.rows = elements(shape) / planned.columns;
  planned.format = format_of(name, planned.columns);
  planned.weight = &to;
  planned.stride =
      planned.format == WeightFormat::kBf16 ? padded(planned.columns) : planned.columns;
  to.format = planned.format;
  to.stride = static_cast<int>(planned.stride);
  to.rows = static_cast<int>(shape[shape.size() - 2]);
  to.columns = static_cast<int>(planned.columns);
  planned_.push_back(std::move(planned));
}

void WeightLoader::linear(const std::string& module, DeviceWeight& to) {
  for (const char* side : {".input_activation_scale", ".output_activation_scale"}) {
    if (checkpoint_.has(module + side)) {
      throw Error(module + side +
                  ": got a model whose activations are quantised by stored scales, expected one "
                  "whose activations are not (--impl reference computes it)");
    }
  }
  matrix(module + ".weight", to);
}

void WeightLoader::vector(const std::string& name, const float*& to) {
  floats(values(name), to);
}

void WeightLoader::floats(std::vector<float> values, const float*& to) {
  Planned planned;
  planned.rows = 1;
  planned.columns = values.size();
  planned.given = std::move(values);
  planned.pointer = &to;
  planned_.push_back(std::move(planned));
}

void WeightLoader::floats(std::vector<float> values, std::size_t rows, DeviceWeight& to) {
  Planned planned;
  planned.rows = rows;
  planned.columns = values.size() / rows;
  planned.given = std::move(values);
  planned.weight = &to;
  to.format = WeightFormat::kF32;
  to.rows = static_cast<int>(rows);
  to.columns = static_cast<int>(planned.columns);
  planned_.push_back(std::move(planned));
}

float WeightLoader::scalar(const std::string& name) const {
  float value = 0;
  checkpoint_.read(name, 0, 1, &value);
  return value;
}

std::vector<float> WeightLoader::values(const std::string& name) const {
  std::vector<float> values(elements(checkpoint_.shape(name)));
  checkpoint_.read(name, 0, values.size(), values.data());
  return values;
}

// Reading widens, and throws for what is not finite.
void WeightLoader::check_finite(const Planned& planned, std::span<const std::byte> bytes) const {
  if (!cpu::may_be_non_finite(checkpoint_.stored(planned.name)->dtype, bytes)) {
    return;
  }
  const std::size_t all = planned.rows * planned.columns;
  std::vector<float> values(std::min(all, kChunk));
  for (std::size_t at = 0; at < all; at += kChunk) {
    checkpoint_.read(planned.name, at, std::min(kChunk, all - at), values.data());
  }
}

void WeightLoader::fill_floats(const Planned& planned, std::byte* memory) {
  const std::size_t rows_at_once = std::max<std::size_t>(1, kChunk / planned.columns);
  std::vector<float> values;
  for (std::size_t row = 0; row < planned.rows; row += rows_at_once) {
    const std::size_t count = std::min(rows_at_once, planned.rows - row);
    values.resize(count * planned.columns);
    if (planned.order.empty()) {
      checkpoint_.read(planned.name, row * planned.columns, values.size(), values.data());
    } else {
      for (std::size_t r = 0; r < count; ++r) {
        const auto from = static_cast<std::size_t>(planned.order[row + r]);
        checkpoint_.read(planned.name, from * planned.columns, planned.columns,
                         values.data() + r * planned.columns);
      }
    }
    stream_.upload(memory + planned.at + row * planned.columns * sizeof(float), values.data(),
                   values.size() * sizeof(float));
    stream_.synchronize();
  }
}

void WeightLoader::fill_stored(const Planned& planned, std::span<const std::byte> bytes,
                               std::byte* memory) {
  check_finite(planned, bytes);
  const std::size_t row_bytes = bytes.size() / planned.rows;
  const std::size_t rows_at_once = std::max<std::size_t>(1, 4 * kChunk / row_bytes);
  const std::size_t code_row = weight_code_bytes(planned.format, 1, planned.stride);
  const std::size_t scale_row = 2 * weight_scales(planned.format, 1, planned.columns);
  std::vector<std::byte> gathered;
  for (std::size_t row = 0; row < planned.rows; row += rows_at_once) {
    const std::size_t count = std::min(rows_at_once, planned.rows - row);
    auto from = bytes.subspan(row * row_bytes, count * row_bytes);
    if (!planned.order.empty()) {
      gathered.clear();
      for (std::size_t r = row; r < row + count; ++r) {
        const auto one =
            bytes.subspan(static_cast<std::size_t>(planned.order[r]) * row_bytes, row_bytes);
        gathered.insert(gathered.end(), one.begin(), one.end());
      }
      from = gathered;
    }
    if (scale_row == 0) {
      const auto padded_rows = with_zeros(from, row_bytes, code_row);
      const auto rows = padded_rows.empty() ? from : std::span<const std::byte>(padded_rows);
      stream_.upload(memory + planned.at + row * code_row, rows.data(), rows.size());
      stream_.synchronize();
    } else {
      const Blocks blocks = taken_apart(
          from, planned.format == WeightFormat::kQ8 ? kWeightBlock + 2 : kWeightBlock / 2 + 2);
      stream_.upload(memory + planned.at + row * code_row, blocks.codes.data(),
                     blocks.codes.size());
      stream_.upload(memory + planned.scales_at + row * scale_row, blocks.scales.data(),
                     blocks.scales.size());
    }
    stream_.synchronize();
  }
}

void WeightLoader::fill(const Planned& planned, std::byte* memory) {
  if (planned.weight != nullptr) {
    planned.weight->data = memory + planned.at;
    planned.weight->scales = reinterpret_cast<const std::uint16_t*>(memory + planned.scales_at);
  }
  if (planned.pointer != nullptr) {
    *planned.pointer = reinterpret_cast<const float*>(memory + planned.at);
  }
  if (planned.name.empty()) {
    stream_.upload(memory + planned.at, planned.given.data(), planned.given.size() * sizeof(float));
    stream_.synchronize();
  } else if (planned.format == WeightFormat::kF32) {
    fill_floats(planned, memory);
  } else {
    fill_stored(planned, checkpoint_.stored(planned.name)->bytes, memory);
  }
  if (!planned.name.empty()) {
    checkpoint_.release(planned.name);
  }
}

Memory WeightLoader::load() {
  std::size_t bytes = 0;
  for (Planned& planned : planned_) {
    planned.at = bytes;
    bytes += aligned(
        weight_code_bytes(planned.format, planned.rows, std::max(planned.stride, planned.columns)));
    planned.scales_at = bytes;
    bytes += aligned(2 * weight_scales(planned.format, planned.rows, planned.columns));
  }
  Memory memory(bytes);
  for (const Planned& planned : planned_) {
    fill(planned, static_cast<std::byte*>(memory.data()));
  }
  planned_.clear();
  return memory;
}

}  // namespace assay::cuda
