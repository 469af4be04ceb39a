// SPDX-License-Identifier: Apache-2.0
// Which two neighbours merge, into what, and how soon.
//
// A table of half a million pairs is asked for every pair of neighbours, so it is one flat array
// with open addressing: one cache miss per question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace assay {

constexpr std::size_t kMaxWord = 1u << 30;  // symbols, so that places fit 32 bits

class MergeTable {
 public:
  struct Merge {
    std::int32_t rank = -1;  // position in the list; -1: the pair does not merge
    std::int32_t whole = 0;  // id of the merged token
  };

  MergeTable() = default;
  // whole[r] is the id that merges[r] makes. The last of equal pairs stands, as in the
  // tokenizers library.
  MergeTable(const std::vector<std::pair<std::int32_t, std::int32_t>>& merges,
             const std::vector<std::int32_t>& whole);

  Merge find(std::int32_t left, std::int32_t right) const;

  // Merges neighbours until no pair is left: lowest rank first, leftmost among equals.
  std::vector<std::int32_t> merge_all(const std::vector<std::int32_t>& symbols) const;

 private:
  struct Slot {
    std::uint64_t key = kEmpty;
    Merge merge;
  };
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};
  std::size_t place_of(std::uint64_t key) const;

  std::vector<Slot> slots_;  // a power of two of them, at most half full
};

}  // namespace assay
