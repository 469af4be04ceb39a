// SPDX-License-Identifier: Apache-2.0
// Token to id: what a vocabulary is asked most often.
//
// One flat array with open addressing, which holds hashes and ids; the strings stay where they are
// and must outlive the table. Of equal tokens the first is found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

inline constexpr std::int32_t kNoToken = -1;

class TokenIds {
 public:
  TokenIds() = default;
  explicit TokenIds(std::span<const std::string> tokens);

  // kNoToken when the vocabulary has no such token.
  std::int32_t find(std::string_view token) const;

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::int32_t id = kNoToken;
  };
  std::size_t place_of(std::uint64_t hash, std::string_view token) const;

  std::span<const std::string> tokens_;
  std::vector<Slot> slots_;  // a power of two of them, at most half full
};

}  // namespace assay
