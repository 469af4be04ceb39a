// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/patch_grid.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "reference/family/base/error.h"

namespace assay {
namespace {

using Place = std::pair<std::int32_t, std::int32_t>;  // x, y

std::string text_of(Place place) {
  return "(" + std::to_string(place.first) + ", " + std::to_string(place.second) + ")";
}

[[noreturn]] void refuse(std::size_t slot, const std::string& got, const std::string& expected) {
  throw Error("image: slot " + std::to_string(slot) + ": got position " + got + ", expected " +
              expected);
}

void check_range(std::size_t slot, Place place, std::size_t table_rows) {
  const auto inside = [&](std::int32_t value) {
    return value >= 0 && static_cast<std::size_t>(value) < table_rows;
  };
  if (!inside(place.first) || !inside(place.second)) {
    refuse(slot, text_of(place),
           "coordinates from 0 to " + std::to_string(table_rows - 1) + ", or (-1, -1)");
  }
}

}  // namespace

PatchGrid patch_grid(std::span<const std::int32_t> positions, std::size_t table_rows) {
  const std::size_t slots = positions.size() / 2;
  if (slots > kMostSlots) {
    throw Error("image: got " + std::to_string(slots) + " slots, expected at most " +
                std::to_string(kMostSlots));
  }
  PatchGrid grid;
  std::set<Place> seen;
  for (std::size_t s = 0; s < slots; ++s) {
    const Place place{positions[2 * s], positions[2 * s + 1]};
    if (place == Place{-1, -1}) {
      grid.padding.push_back(s);
      continue;
    }
    check_range(s, place, table_rows);
    if (!seen.insert(place).second) {
      refuse(s, text_of(place), "a position that no other patch has");
    }
    grid.real.push_back(s);
    grid.columns = std::max(grid.columns, static_cast<std::size_t>(place.first) + 1);
    grid.rows = std::max(grid.rows, static_cast<std::size_t>(place.second) + 1);
  }
  if (grid.real.empty()) {
    throw Error("image: got " + std::to_string(slots) +
                " slots without a patch, expected at least one patch");
  }
  return grid;
}

void check_pools(const PatchGrid& grid, std::size_t kernel) {
  const std::string size = std::to_string(grid.columns) + " x " + std::to_string(grid.rows);
  if (grid.real.size() != grid.columns * grid.rows) {
    throw Error("image: got " + std::to_string(grid.real.size()) + " patches in a grid of " + size +
                ", expected " + std::to_string(grid.columns * grid.rows));
  }
  if (kernel == 0 || grid.columns % kernel != 0 || grid.rows % kernel != 0) {
    throw Error("image: got a grid of " + size + " patches, expected both sides to be multiples" +
                " of the pooling kernel " + std::to_string(kernel));
  }
}

}  // namespace assay
