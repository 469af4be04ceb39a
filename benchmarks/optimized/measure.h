// SPDX-License-Identifier: Apache-2.0
// What the benchmarks of the CPU engine share: a clock, a median, options beside Google
// Benchmark's.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::cpu {

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

// The value of an argument --name=value, which is taken out of the list.
inline std::optional<std::string> take(int& count, char** arguments, const std::string& name) {
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument.starts_with("--" + name + "=")) {
      std::copy(arguments + i + 1, arguments + count, arguments + i);
      --count;
      return std::string(argument.substr(name.size() + 3));
    }
  }
  return std::nullopt;
}

}  // namespace assay::cpu
