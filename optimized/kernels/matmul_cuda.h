// SPDX-License-Identifier: Apache-2.0
// Products of weights with rows of activations, on a device, in plain f32 arithmetic.
//
//   y[t, n] = sum_k w[n, k] x[t, k]
//
// A weight lies row after row: f32, bf16, whose rows may be padded, and of q8_0 and q4_0 all codes,
// then all scales, so that both are read in words:
//
//   q8_0  i8 codes [rows][columns],       f16 scales [rows][columns/32]
//   q4_0  u8 pairs [rows][columns/32][16], f16 scales; low half: k, high half: k + 16, each + 8
//
// One row of x meets four rows of w in a warp (gemv): x is read once for the four, w in words of 16
// bytes where rows begin at such, and their sums are reduced together. More rows go by tiles of 32
// x 32. Sums are f32 and run over k in order (tiles), or in 32 parts (gemv). `round` rounds x to
// bf16 first: the class bf16.
//
// The grouped product multiplies rows that were chosen by experts (router_cuda.h) with the slice of
// w that belongs to each.  Spec.
#pragma once

#include <cstddef>
#include <cstdint>

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/device_rows_cuda.h"

namespace assay::cuda {

enum class WeightFormat { kF32, kBf16, kQ8, kQ4 };

constexpr int kWeightBlock = 32;  // elements of a block of q8_0 and q4_0

// A matrix [rows, columns], or slices of that shape one after another.
struct DeviceWeight {
  WeightFormat format = WeightFormat::kF32;
  int rows = 0;
  int columns = 0;
  const void* data = nullptr;
  const std::uint16_t* scales = nullptr;  // of all slices, after their codes
  int stride = 0;  // of bf16: numbers from one row to the next, zeros at the end; 0: columns

  bool empty() const { return rows == 0; }
  long row_stride() const { return stride == 0 ? columns : stride; }
};

// Bytes of `rows` rows, without their scales; and how many scales they have.
std::size_t weight_code_bytes(WeightFormat format, std::size_t rows, std::size_t columns);
std::size_t weight_scales(WeightFormat format, std::size_t rows, std::size_t columns);

void matmul(Stream& stream, const DeviceWeight& w, const DeviceRows& x, bool round,
            const DeviceRows& y);

// Rows chosen by experts, in the order of experts: row i of y is slice e of w times the row that
// belongs to the choice sorted[i], for first[e] <= i < first[e + 1].
struct ExpertRows {
  int experts = 0;
  int slots = 0;                // choices of a token
  int choices = 0;              // tokens * slots
  int most = 0;                 // rows that an expert may have
  const int* first = nullptr;   // [experts + 1]
  const int* sorted = nullptr;  // [choices]
  const int* expert = nullptr;  // [choices], by choice
  bool by_choice = false;       // sorted is 0, 1, …: one token, no order of experts
};
// `gather`: x has a row for each token; else one for each sorted choice.
void expert_matmul(Stream& stream, const DeviceWeight& w, const ExpertRows& rows, bool gather,
                   const DeviceRows& x, bool round, const DeviceRows& y);

// Rows of a table of tokens, times `scale`; where is_soft[t] is not 0 the row soft[t] instead.
struct Embedding {
  DeviceWeight table;
  const int* ids = nullptr;      // [tokens]
  const int* is_soft = nullptr;  // [tokens]; null: none is
  const float* soft = nullptr;   // [tokens, columns]
  float scale = 1;
  float* row_out = nullptr;     // [tokens, columns], not scaled
  float* scaled_out = nullptr;  // scaled, before rows are replaced
};
void embed(Stream& stream, const Embedding& call, const DeviceRows& h);

}  // namespace assay::cuda
