// SPDX-License-Identifier: Apache-2.0
// What a golden answers once it is read, from whatever file.
#include <limits>
#include <string>

#include "conformance/catalogue/catalogue.h"
#include "conformance/records/golden.h"

namespace assay::conformance {

double Golden::floor(const std::string& tap, const std::string& attribute) const {
  const auto by_tap = floors.find(tap);
  if (by_tap != floors.end()) {
    const auto found = by_tap->second.floors.find(attribute);
    if (found != by_tap->second.floors.end()) {
      return found->second;
    }
  }
  return std::numeric_limits<double>::quiet_NaN();
}

std::string Golden::reason_not_provided(const std::string& tap) const {
  for (const std::string& name : patterns_of(tap)) {
    const auto found = not_provided.find(name);
    if (found != not_provided.end()) {
      return found->second;
    }
  }
  return "";
}

}  // namespace assay::conformance
