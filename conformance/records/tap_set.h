// SPDX-License-Identifier: Apache-2.0
// Taps by name, in the order in which they came.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "conformance/records/tap.h"

namespace assay::conformance {

class TapSet {
 public:
  // Throws when the name is taken or the values do not fill the shape.
  void add(Tap tap);

  bool has(const std::string& name) const { return find(name) != nullptr; }
  const Tap* find(const std::string& name) const;  // null when absent
  Tap* find(const std::string& name);
  const Tap& at(const std::string& name) const;  // throws when absent

  std::set<std::string> names() const;

  bool empty() const { return taps_.empty(); }
  std::size_t size() const { return taps_.size(); }
  std::vector<Tap>::const_iterator begin() const { return taps_.begin(); }
  std::vector<Tap>::const_iterator end() const { return taps_.end(); }

 private:
  std::vector<Tap> taps_;
  std::unordered_map<std::string, std::size_t> index_;
};

// The product of the axes; throws when it does not fit.
std::size_t element_count(const std::vector<std::size_t>& shape);

}  // namespace assay::conformance
