// SPDX-License-Identifier: Apache-2.0
// For tests: the files of golden/media, and what they hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <utility>

#include "reference/family/testing/source_dir.h"

namespace assay {

inline std::string golden_media(const std::string& name) {
  std::ifstream file(source_dir() + "/golden/media/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Name to shape and hash, of contents.txt.
inline std::map<std::string, std::pair<std::string, std::string>> golden_contents() {
  std::istringstream lines(golden_media("contents.txt"));
  std::map<std::string, std::pair<std::string, std::string>> contents;
  for (std::string name, shape, hash; lines >> name >> shape >> hash;) {
    contents[name] = {shape, hash};
  }
  return contents;
}

class Fnv1a {
 public:
  template <class T>
  void add(std::span<const T> values) {
    for (const std::byte byte : std::as_bytes(values)) {
      state_ = (state_ ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001B3;
    }
  }
  std::string text() const {
    std::ostringstream out;
    out.width(16);
    out.fill('0');
    out << std::hex << state_;
    return out.str();
  }

 private:
  std::uint64_t state_ = 0xCBF29CE484222325;
};

}  // namespace assay
