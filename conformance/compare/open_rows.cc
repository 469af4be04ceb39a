// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/open_rows.h"

#include <algorithm>

#include "conformance/catalogue/roles.h"
#include "conformance/catalogue/tap_name.h"

namespace assay::conformance {
namespace {

bool any_of(const std::vector<char>& rows) {
  return std::ranges::any_of(rows, [](char row) { return row != 0; });
}

}  // namespace

OpenRows::OpenRows(const CaseInput& input) : first_seen_by_(input.ids.size()) {
  const auto& types = input.token_types;
  for (std::size_t row = 0; row < first_seen_by_.size(); ++row) {
    const bool goes_on =
        row > 0 && row < types.size() && types[row] != 0 && types[row] == types[row - 1];
    first_seen_by_[row] = goes_on ? first_seen_by_[row - 1] : row;
  }
}

void OpenRows::open(const std::string& choice, const std::vector<char>& rows) {
  if (!any_of(rows)) {
    return;
  }
  auto& open = open_[choice];
  open.resize(std::max(open.size(), rows.size()), 0);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    open[row] = static_cast<char>(open[row] != 0 || rows[row] != 0);
  }
}

void OpenRows::close(const std::string& tap) {
  std::erase_if(open_, [&](const auto& open) { return ends_choice(open.first, tap); });
}

OpenRows::Felt OpenRows::felt_at(const Tap& tap) const {
  Felt felt;
  for (const auto& [choice, rows] : open_) {
    add(choice, rows, tap, felt);
  }
  return felt;
}

void OpenRows::add(const std::string& choice, const std::vector<char>& rows, const Tap& tap,
                   Felt& felt) const {
  if (tap.name == choice) {
    return;
  }
  const auto of_choice = execution_key(choice);
  const auto of_tap = execution_key(tap.name);
  const bool first = felt.choice.empty() || of_choice < execution_key(felt.choice);
  felt.choice = first ? choice : felt.choice;
  const std::size_t tokens = first_seen_by_.size();
  if (rows.size() != tokens || stage_of(tap.name) != Stage::kText || tap.shape.empty() ||
      tap.shape[0] != tokens) {
    felt.all = true;
    return;
  }
  felt.rows.resize(tokens, 0);
  const bool unmixed = tap_prefix(tap.name) == tap_prefix(choice) ||
                       (role_of(tap.name).layer_input && of_tap.layer == of_choice.layer + 1);
  std::size_t spread = tokens;
  for (std::size_t row = 0; row < tokens; ++row) {
    if (rows[row] != 0) {
      felt.rows[row] = 1;
      spread = std::min(spread, first_seen_by_[row]);
    }
  }
  if (!unmixed) {
    std::fill(felt.rows.begin() + static_cast<std::ptrdiff_t>(spread), felt.rows.end(), 1);
  }
}

}  // namespace assay::conformance
