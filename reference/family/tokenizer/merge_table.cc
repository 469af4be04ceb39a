// SPDX-License-Identifier: Apache-2.0
#include "reference/family/tokenizer/merge_table.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <string>

#include "reference/family/base/error.h"

namespace assay {
namespace {

std::uint64_t key_of(std::int32_t left, std::int32_t right) {
  return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

constexpr std::int32_t kNone = -1;

// A symbol of the word being merged: a doubly linked list in an array. `rank` and `whole` belong to
// the pair that begins here.
struct Symbol {
  std::int32_t id = 0;
  std::int32_t previous = kNone;
  std::int32_t next = kNone;
  std::int32_t rank = kNone;  // kNone: the pair does not merge, or the symbol is gone
  std::int32_t whole = 0;
};

// A pair that merges, as rank and place of its left symbol in one number: the smallest is next.
// It is stale when the symbol there begins a pair of another rank by now.
using Candidate = std::uint64_t;

Candidate candidate_of(std::int32_t rank, std::int32_t left) {
  return key_of(rank, left);
}

class Word {
 public:
  Word(const MergeTable& table, const std::vector<std::int32_t>& ids)
      : table_(table), symbols_(ids.size()) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      symbols_[i].id = ids[i];
      symbols_[i].previous = static_cast<std::int32_t>(i) - 1;
      symbols_[i].next = i + 1 < ids.size() ? static_cast<std::int32_t>(i) + 1 : kNone;
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto left = static_cast<std::int32_t>(i);
      if (meet(left)) {
        heap_.push_back(candidate_of(symbols_[i].rank, left));
      }
    }
    std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
  }

  void merge_all() {
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      const Candidate best = heap_.back();
      heap_.pop_back();
      const auto left = static_cast<std::int32_t>(best & 0xFFFFFFFFU);
      if (at(left).rank == static_cast<std::int32_t>(best >> 32)) {
        merge(left);
      }
    }
  }

  std::vector<std::int32_t> ids() const {
    std::vector<std::int32_t> ids;
    for (std::int32_t i = symbols_.empty() ? kNone : 0; i != kNone;) {
      const Symbol& symbol = symbols_[static_cast<std::size_t>(i)];
      ids.push_back(symbol.id);
      i = symbol.next;
    }
    return ids;
  }

 private:
  Symbol& at(std::int32_t index) { return symbols_[static_cast<std::size_t>(index)]; }

  // Looks the pair up that begins at `left`; whether it merges.
  bool meet(std::int32_t left) {
    Symbol& symbol = at(left);
    const auto pair =
        symbol.next == kNone ? MergeTable::Merge{} : table_.find(symbol.id, at(symbol.next).id);
    symbol.rank = pair.rank;
    symbol.whole = pair.whole;
    return pair.rank != kNone;
  }

  void offer(std::int32_t left) {
    if (meet(left)) {
      heap_.push_back(candidate_of(at(left).rank, left));
      std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    }
  }

  void merge(std::int32_t place) {
    Symbol& left = at(place);
    Symbol& right = at(left.next);
    left.id = left.whole;
    left.next = right.next;
    right.rank = kNone;
    if (left.next != kNone) {
      at(left.next).previous = place;
    }
    if (left.previous != kNone) {
      offer(left.previous);
    }
    offer(place);
  }

  const MergeTable& table_;
  std::vector<Symbol> symbols_;
  std::vector<Candidate> heap_;
};

}  // namespace

MergeTable::MergeTable(const std::vector<std::pair<std::int32_t, std::int32_t>>& merges,
                       const std::vector<std::int32_t>& whole)
    : slots_(std::bit_ceil(2 * merges.size() + 2)) {
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::uint64_t key = key_of(merges[rank].first, merges[rank].second);
    slots_[place_of(key)] = {key, {static_cast<std::int32_t>(rank), whole[rank]}};
  }
}

// The slot that holds the key, or the empty one where it would be.
std::size_t MergeTable::place_of(std::uint64_t key) const {
  const std::size_t mask = slots_.size() - 1;
  std::uint64_t mixed = key * 0x9E3779B97F4A7C15U;
  mixed ^= mixed >> 32;
  std::size_t place = mixed & mask;
  while (slots_[place].key != kEmpty && slots_[place].key != key) {
    place = (place + 1) & mask;
  }
  return place;
}

MergeTable::Merge MergeTable::find(std::int32_t left, std::int32_t right) const {
  if (slots_.empty()) {
    return {};
  }
  const Slot& slot = slots_[place_of(key_of(left, right))];
  return slot.key == kEmpty ? Merge{} : slot.merge;
}

std::vector<std::int32_t> MergeTable::merge_all(const std::vector<std::int32_t>& symbols) const {
  if (symbols.size() > kMaxWord) {
    throw Error("text: got a word of " + std::to_string(symbols.size()) +
                " characters, expected at most " + std::to_string(kMaxWord));
  }
  Word word(*this, symbols);
  word.merge_all();
  return word.ids();
}

}  // namespace assay
