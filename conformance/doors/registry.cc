// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/registry.h"

#include <algorithm>
#include <utility>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

// Of the process: doors register before main() begins, in no known order.
std::map<std::string, ImplementationEntry>& entries() {
  static std::map<std::string, ImplementationEntry> all;
  return all;
}

}  // namespace

bool register_implementation(ImplementationEntry entry) {
  if (entry.name.empty() || entry.precisions.empty() || !entry.make) {
    throw Error("implementation '" + entry.name +
                "': got an incomplete entry, expected a name, a precision class and a factory");
  }
  std::string name = entry.name;
  if (!entries().emplace(name, std::move(entry)).second) {
    throw Error("implementation '" + name + "': got the name twice, expected it once");
  }
  return true;
}

const std::map<std::string, ImplementationEntry>& registered_implementations() {
  return entries();
}

const ImplementationEntry* find_implementation(const std::string& name) {
  const auto found = entries().find(name);
  return found == entries().end() ? nullptr : &found->second;
}

const ImplementationEntry& oracle_entry() {
  const auto found =
      std::ranges::find_if(entries(), [](const auto& each) { return each.second.is_oracle; });
  if (found == entries().end()) {
    throw Error("implementations: got no oracle, expected a build with the reference");
  }
  return found->second;
}

std::string implementation_names() {
  std::string names;
  for (const auto& [name, entry] : entries()) {
    names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

std::string precision_names(const ImplementationEntry& entry) {
  std::string names;
  for (std::size_t i = 0; i < entry.precisions.size(); ++i) {
    const bool last = i + 1 == entry.precisions.size();
    names += (i == 0 ? "" : last ? " or " : ", ") + entry.precisions[i];
  }
  return names;
}

}  // namespace assay::conformance
