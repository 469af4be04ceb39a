// SPDX-License-Identifier: Apache-2.0
// Anonymous memory in huge pages: for weights, caches and everything else that is read as a stream.
//
// A page of 2 MiB needs one translation where pages of 4 KiB need 512, and the prefetcher of the
// hardware does not stop at its end. The system may refuse huge pages (no transparent huge pages,
// memory in pieces); huge_bytes() tells how many it gave. Memory is zero until it is written, and
// costs nothing until then.
#pragma once

#include <cstddef>
#include <span>

namespace assay::cpu {

class Pages {
 public:
  Pages() = default;
  explicit Pages(std::size_t bytes);  // throws Error when the system has none
  Pages(Pages&& other) noexcept;
  Pages& operator=(Pages&& other) noexcept;
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages();

  std::byte* data() const { return data_; }  // begins at a multiple of 2 MiB
  std::size_t size() const { return size_; }

  // How many of its bytes lie in huge pages now. Asks the system: not for inner loops.
  std::size_t huge_bytes() const;

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::byte* mapped_ = nullptr;  // with the room that alignment took
  std::size_t mapped_size_ = 0;
};

// An array of floats (or whatever is given) in such memory.
template <class Value>
class PageArray {
 public:
  PageArray() = default;
  explicit PageArray(std::size_t count) : pages_(count * sizeof(Value)), count_(count) {}

  Value* data() const { return reinterpret_cast<Value*>(pages_.data()); }
  std::size_t size() const { return count_; }
  std::span<Value> span() const { return {data(), count_}; }
  Value& operator[](std::size_t i) const { return data()[i]; }
  std::size_t bytes() const { return pages_.size(); }

 private:
  Pages pages_;
  std::size_t count_ = 0;
};

}  // namespace assay::cpu
