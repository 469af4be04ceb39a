// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/weight_packer.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>

#include "reference/family/base/error.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kAlign = 64;

void check_order(const std::string& name, float lowest, float highest) {
  if (lowest > highest) {
    throw Error(name + "_min: got " + std::to_string(lowest) + ", expected at most " + name +
                "_max, which is " + std::to_string(highest));
  }
}

void check_activations(const Checkpoint& checkpoint, const std::string& module) {
  for (const char* side : {".input_activation_scale", ".output_activation_scale"}) {
    if (checkpoint.has(module + side)) {
      throw Error(module + side +
                  ": got an encoder whose activations are quantised by stored scales, expected "
                  "one whose activations are not (--impl reference computes it)");
    }
  }
}

void pack_floats(const Vector& values, std::byte* to, WeightView& view) {
  view.data = to;
  for (std::size_t tile = 0; tile < view.tiles(); ++tile) {
    const std::size_t row = tile * kTileRows;
    const std::size_t count = std::min(kTileRows, view.rows - row);
    const auto rows = std::span(values).subspan(row * view.columns, count * view.columns);
    pack_tile(view, std::as_bytes(rows), to + tile * view.tile);
  }
}

}  // namespace

Vector WeightPacker::values(const std::string& name) const {
  const auto& shape = checkpoint_.shape(name);
  Vector values(std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>()));
  checkpoint_.read(name, 0, values.size(), values.data());
  return values;
}

float WeightPacker::scalar(const std::string& name) const {
  float value = 0;
  checkpoint_.read(name, 0, 1, &value);
  return value;
}

void WeightPacker::matrix(const std::string& name, WeightView& to) {
  stored_.push_back({{name, 0, checkpoint_.shape(name)[0]}, &to});
}

void WeightPacker::linear(const std::string& module, WeightView& to) {
  check_activations(checkpoint_, module);
  matrix(module + ".weight", to);
}

void WeightPacker::floats(Vector values, std::size_t rows, WeightView& to) {
  to = plan_rows(DType::kF32, rows, values.size() / rows);
  floats_.push_back({std::move(values), &to});
}

void WeightPacker::clipped(const std::string& at, bool clipped, ClippedWeight& to) {
  linear(at + "linear", to.weight);
  if (clipped) {
    to.input_min = scalar(at + "input_min");
    to.input_max = scalar(at + "input_max");
    to.output_min = scalar(at + "output_min");
    to.output_max = scalar(at + "output_max");
    check_order(at + "input", to.input_min, to.input_max);
    check_order(at + "output", to.output_min, to.output_max);
  }
}

Pages WeightPacker::pack() {
  std::size_t bytes = 0;
  for (auto& [rows, view] : stored_) {
    *view = plan_weight(checkpoint_, rows);
    bytes += round_up(view->bytes(), kAlign);
  }
  for (const Floats& each : floats_) {
    bytes += round_up(each.to->bytes(), kAlign);
  }
  Pages memory(bytes);
  std::byte* at = memory.data();
  for (auto& [rows, view] : stored_) {
    pack_weight(checkpoint_, rows, at, *view, threads_);
    at += round_up(view->bytes(), kAlign);
    checkpoint_.release(rows.name);
  }
  for (const Floats& each : floats_) {
    pack_floats(each.values, at, *each.to);
    at += round_up(each.to->bytes(), kAlign);
  }
  return memory;
}

}  // namespace assay::cpu
