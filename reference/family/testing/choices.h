// SPDX-License-Identifier: Apache-2.0
// For tests of a property: an example is made from a row of choices, so that a smaller row is a
// smaller example, and a fuzzer that changes bytes changes examples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <vector>

namespace assay {

class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  // Below `count`, which is at most 2^32; 0 when the row is at its end.
  std::size_t below(std::size_t count) {
    std::size_t value = next();
    for (std::size_t range = 256; range < count; range *= 256) {
      value = 256 * value + next();
    }
    return value % count;
  }
  bool one_in(std::size_t count) { return below(count) == count - 1; }
  bool at_end() const { return at_ >= bytes_.size(); }

 private:
  std::size_t next() { return at_ < bytes_.size() ? bytes_[at_++] : 0; }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

inline std::vector<std::uint8_t> random_choices(std::mt19937_64& random, std::size_t longest) {
  std::vector<std::uint8_t> bytes(1 + random() % longest);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(random() >> 56);
  }
  return bytes;
}

// The smallest row that is found to fail still: pieces are left out, then choices lowered.
inline std::vector<std::uint8_t> shrunk(
    std::vector<std::uint8_t> row,
    const std::function<bool(const std::vector<std::uint8_t>&)>& fails) {
  const auto keep_if_failing = [&](const std::vector<std::uint8_t>& candidate) {
    const bool smaller = candidate != row && fails(candidate);
    row = smaller ? candidate : row;
    return smaller;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t piece = row.size(); piece > 0; piece /= 2) {
      for (std::size_t at = 0; at + piece <= row.size();) {
        auto candidate = row;
        const auto first = candidate.begin() + static_cast<std::ptrdiff_t>(at);
        candidate.erase(first, first + static_cast<std::ptrdiff_t>(piece));
        const bool kept = keep_if_failing(candidate);
        changed = changed || kept;
        at += kept ? 0 : piece;
      }
    }
    for (std::size_t at = 0; at < row.size(); ++at) {
      for (const unsigned lower : {0U, row[at] / 2U, row[at] - 1U}) {
        auto candidate = row;
        candidate[at] = static_cast<std::uint8_t>(lower);
        changed = (row[at] > 0 && keep_if_failing(candidate)) || changed;
      }
    }
  }
  return row;
}

}  // namespace assay
