// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/shapes.h"

#include <algorithm>

#include "conformance/catalogue/catalogue.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

Shape without_ones(const Shape& shape) {
  Shape kept;
  std::ranges::copy_if(shape, std::back_inserter(kept), [](std::size_t n) { return n != 1; });
  return kept;
}

}  // namespace

bool shapes_agree(const Shape& got, const Shape& wanted) {
  const Shape a = without_ones(got);
  const Shape b = without_ones(wanted);
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    std::size_t left = a[i++];
    std::size_t right = b[j++];
    if (left < right) {  // merge axes of one side only
      while (left < right && i < a.size()) {
        left *= a[i++];
      }
    } else {
      while (right < left && j < b.size()) {
        right *= b[j++];
      }
    }
    if (left != right) {
      return false;
    }
  }
  return i == a.size() && j == b.size();
}

std::string permutation_hint(const Shape& got, const Shape& wanted) {
  const Shape a = without_ones(got);
  const Shape b = without_ones(wanted);
  Shape sorted_a = a;
  Shape sorted_b = b;
  std::ranges::sort(sorted_a);
  std::ranges::sort(sorted_b);
  if (a == b || a.size() < 2 || sorted_a != sorted_b) {
    return "";
  }
  return "the axes look permuted: " + shape_string(got) + " where " + shape_string(wanted) +
         " is expected";
}

bool is_discrete(const Tap& tap) {
  const auto match = find_tap(tap.name);
  return match ? match->entry->discrete : tap.integer;
}

}  // namespace assay::conformance
