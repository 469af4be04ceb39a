// SPDX-License-Identifier: Apache-2.0
// What works row by row, beside copying as many bytes.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "optimized/device/threads.h"

namespace assay::cpu {

// One kernel over kBenchedRows rows that lie one after another, at a width of the released models.
struct RowKernel {
  std::string name;
  std::size_t width;  // of a row, in floats
  double moved;       // floats that are read or written for each float of a row
  std::function<void(const Threads&)> run;
};

constexpr std::size_t kBenchedRows = 512;  // a chunk of a prompt

// Every kernel of row_ops.h and encoder_rows.h, and the packing of rows. They share memory that
// lives as long as the program.
std::vector<RowKernel> row_kernels();

// Bytes a second that memcpy reads and writes, in rows of `width` floats.
double copy_rate(std::size_t width, const Threads& threads);

}  // namespace assay::cpu
