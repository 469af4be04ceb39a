// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/tap_order.h"

#include <algorithm>
#include <utility>

#include "conformance/catalogue/catalogue.h"

namespace assay::conformance {

void sort_by_execution(std::vector<std::string>& names) {
  std::vector<std::pair<ExecutionKey, std::string>> keyed;
  keyed.reserve(names.size());
  for (std::string& name : names) {
    const ExecutionKey key = execution_key(name);
    keyed.emplace_back(key, std::move(name));
  }
  std::ranges::sort(keyed);
  std::ranges::transform(keyed, names.begin(), [](auto& pair) { return std::move(pair.second); });
}

}  // namespace assay::conformance
