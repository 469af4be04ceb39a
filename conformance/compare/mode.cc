// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/mode.h"

#include <algorithm>
#include <array>

namespace assay::conformance {
namespace {

struct Row {
  Mode mode;
  const char* name;
  bool runnable;
};

constexpr std::array kModes = {
    Row{Mode::kChained, "chained", true},    Row{Mode::kIsolated, "isolated", false},
    Row{Mode::kReplay, "replay", true},      Row{Mode::kForced, "forced", false},
    Row{Mode::kProperty, "property", false},
};

const Row& row_of(Mode mode) {
  return *std::ranges::find(kModes, mode, &Row::mode);
}

}  // namespace

const char* mode_name(Mode mode) {
  return row_of(mode).name;
}

std::optional<Mode> find_mode(std::string_view name) {
  const auto* found =
      std::ranges::find_if(kModes, [name](const Row& row) { return row.name == name; });
  return found == kModes.end() ? std::nullopt : std::optional(found->mode);
}

bool is_runnable(Mode mode) {
  return row_of(mode).runnable;
}

}  // namespace assay::conformance
