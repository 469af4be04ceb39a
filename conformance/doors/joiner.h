// SPDX-License-Identifier: Apache-2.0
// Taps of a run in several calls, joined: for every door, whatever its values are computed in.
//
// Rows stand by the token's index, keys by theirs; entries that no call computed stay 0 (they are
// hidden from every query). The joined taps follow at the end, in the order in which they first
// came, and take no other values: the run is over.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "conformance/interface/implementation.h"
#include "reference/family/config/tap_axes.h"

namespace assay::conformance {

class Joiner {
 public:
  // `tokens`: of the whole prompt.
  Joiner(TapListener& listener, std::size_t tokens) : listener_(listener), tokens_(tokens) {}

  bool wants(const std::string& name) const { return listener_.wants(name); }
  void begin_call(std::size_t first_token) { first_token_ = first_token; }

  // `keys`: the index in the prompt of each key, for kKeys and kRowsByKeys. Throws Error for a row
  // or key beyond the prompt, and for a part that has another dtype or width than the first.
  void add(const TensorView& part, TapAxes axes, std::span<const std::size_t> keys = {});

  // Hands all joined taps to the listener.
  void finish();

 private:
  struct Joined {
    std::string name;
    TensorDtype dtype = TensorDtype::kF32;
    std::vector<std::size_t> shape;
    std::vector<std::byte> bytes;
    std::size_t row_bytes = 0;  // of one index of the first axis, in the joined tap
  };

  Joined& joined(const TensorView& part, TapAxes axes);
  void add_rows(const TensorView& part, TapAxes axes, std::span<const std::size_t> keys,
                Joined& to) const;
  void add_lines(const TensorView& part, std::span<const std::size_t> keys, Joined& to) const;

  TapListener& listener_;
  std::size_t tokens_;
  std::size_t first_token_ = 0;
  std::vector<Joined> taps_;
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace assay::conformance
