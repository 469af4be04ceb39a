// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/tap_set.h"

#include <limits>
#include <utility>

#include "reference/family/base/error.h"

namespace assay::conformance {

std::size_t element_count(const std::vector<std::size_t>& shape) {
  std::size_t count = 1;
  for (const std::size_t extent : shape) {
    if (extent != 0 && count > std::numeric_limits<std::size_t>::max() / extent) {
      throw Error("shape: got " + shape_string(shape) + ", expected a product below 2^64");
    }
    count *= extent;
  }
  return count;
}

void TapSet::add(Tap tap) {
  if (tap.values.size() != element_count(tap.shape)) {
    throw Error(tap.name + ": got " + std::to_string(tap.values.size()) + " values, expected " +
                std::to_string(element_count(tap.shape)) + " for shape " + shape_string(tap.shape));
  }
  if (!index_.emplace(tap.name, taps_.size()).second) {
    throw Error(tap.name + ": got this tap twice, expected it once");
  }
  taps_.push_back(std::move(tap));
}

std::set<std::string> TapSet::names() const {
  std::set<std::string> names;
  for (const Tap& tap : taps_) {
    names.insert(tap.name);
  }
  return names;
}

const Tap* TapSet::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &taps_[found->second];
}

Tap* TapSet::find(const std::string& name) {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &taps_[found->second];
}

const Tap& TapSet::at(const std::string& name) const {
  const Tap* tap = find(name);
  if (tap == nullptr) {
    throw Error(name + ": got no such tap, expected one");
  }
  return *tap;
}

}  // namespace assay::conformance
