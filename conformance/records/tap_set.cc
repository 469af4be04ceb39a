// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/tap_set.h"

#include <limits>
#include <utility>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

std::vector<std::size_t> without_ones(const std::vector<std::size_t>& shape) {
  std::size_t first = 0;
  while (first < shape.size() && shape[first] == 1) {
    ++first;
  }
  return {shape.begin() + static_cast<std::ptrdiff_t>(first), shape.end()};
}

// True when a row-major array of one shape can be read as the other with every axis of one being
// a product of neighbouring axes of the other: [T, 8] and [T, 2, 4], but not [2, 3] and [3, 2].
bool merges_or_splits(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    std::size_t left = a[i++];
    std::size_t right = b[j++];
    const bool split = left != right;
    const bool left_is_smaller = left < right;
    while (split && left_is_smaller && left < right && i < a.size()) {
      left *= a[i++];
    }
    while (split && !left_is_smaller && right < left && j < b.size()) {
      right *= b[j++];
    }
    if (left != right) {
      return false;
    }
  }
  const auto rest_is_ones = [](const std::vector<std::size_t>& shape, std::size_t from) {
    for (; from < shape.size(); ++from) {
      if (shape[from] != 1) {
        return false;
      }
    }
    return true;
  };
  return rest_is_ones(a, i) && rest_is_ones(b, j);
}

}  // namespace

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

bool reshape_as(Tap& tap, const std::vector<std::size_t>& wanted) {
  if (tap.shape == wanted) {
    return true;
  }
  if (tap.values.size() != element_count(wanted) ||
      !merges_or_splits(without_ones(tap.shape), without_ones(wanted))) {
    return false;
  }
  tap.shape = wanted;
  return true;
}

}  // namespace assay::conformance
