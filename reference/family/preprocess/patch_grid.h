// SPDX-License-Identifier: Apache-2.0
// Which slots of an image hold patches, and the grid that those patches make.
//
// A slot whose position is (-1, -1) is padding; it may stand anywhere. Everything that can be wrong
// with positions is found here, before anything is computed (DIV-M29).  Spec: multimodal 2.3, 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/family/config/soft_tokens.h"

namespace assay {

// More than any budget makes, and few enough for the squares that attention makes of it.
constexpr std::size_t kMostSlots = 16384;
static_assert(kMostSlots > kPatchesPerSoftToken * kSoftTokenBudgets.back());

struct PatchGrid {
  std::vector<std::size_t> real;     // slots with a patch, in their order
  std::vector<std::size_t> padding;  // the other slots
  std::size_t columns = 0;           // 1 + largest x
  std::size_t rows = 0;              // 1 + largest y
};

// positions [S, 2]. Throws Error for a position outside the table, one that is padding on one axis
// only, two patches at one position, no patch at all, and too many slots.
PatchGrid patch_grid(std::span<const std::int32_t> positions, std::size_t table_rows);

// Throws Error unless the patches fill the grid and pools of kernel x kernel tile it.
void check_pools(const PatchGrid& grid, std::size_t kernel);

}  // namespace assay
