// SPDX-License-Identifier: Apache-2.0
// Packed weights (packed_weight.h) from a checkpoint: as the file stores them where it has a tensor
// whole, else as floats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "optimized/device/threads.h"
#include "optimized/packing/packed_weight.h"
#include "reference/family/checkpoint/checkpoint.h"

namespace assay::cpu {

// Which rows of a tensor [slices, rows, columns] or [rows, columns] become a matrix.
struct WeightRows {
  std::string name;
  std::size_t first = 0;  // of all its rows
  std::size_t count = 0;
};

// How the rows will be laid out.
WeightView plan_weight(const Checkpoint& checkpoint, const WeightRows& rows);

// Fills `to`, which has the bytes of `plan` and is zero, and makes plan.data point to it. Row i is
// rows.first + order[i] of the tensor, or + i without an order. Throws Error on a NaN or an
// infinity, naming the element.
void pack_weight(const Checkpoint& checkpoint, const WeightRows& rows, std::byte* to,
                 WeightView& plan, const Threads& threads,
                 std::span<const std::int64_t> order = {});

}  // namespace assay::cpu
