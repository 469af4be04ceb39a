// SPDX-License-Identifier: Apache-2.0
// Rows between the products of a call, in one piece of memory of the device, planned for the
// longest call and the longest context before the first.
#pragma once

#include <cstddef>
#include <cstdint>

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/device_rows_cuda.h"
#include "reference/family/config/config.h"

namespace assay::cuda {

class Scratch {
 public:
  // Room for calls of `tokens`, whose last `rows` get logits, in a context of so many tokens. True:
  // it grew, and rows of before are gone.
  bool reserve(const TextConfig& config, std::size_t tokens, std::size_t rows, std::size_t context);
  std::size_t bytes() const { return memory_.size(); }

  // Rows of so many columns, one right after another.
  DeviceRows rows(float* data, std::size_t count, std::size_t columns) const {
    return device_rows(data, count, columns);
  }

  float *h = nullptr, *norm = nullptr, *q = nullptr, *k = nullptr, *v = nullptr, *mix = nullptr;
  float *out = nullptr, *gate = nullptr, *up = nullptr, *dense = nullptr, *final_norm = nullptr;
  float *logits = nullptr, *per_layer = nullptr, *parts = nullptr;
  // Of models with experts.
  float *router_in = nullptr, *expert_in = nullptr, *probs = nullptr, *weight = nullptr;
  float *expert_gate = nullptr, *expert_out = nullptr;
  int *expert = nullptr, *first = nullptr, *sorted = nullptr, *row_of = nullptr;
  int* token = nullptr;              // that was chosen
  std::uint16_t* rounded = nullptr;  // rows that meet weights, as bf16

  // Pieces of keys that one query is cut into, for a layer that sees so many.
  static int pieces(std::size_t keys);

 private:
  std::size_t tokens_ = 0, rows_ = 0, context_ = 0;
  Memory memory_;
};

}  // namespace assay::cuda
