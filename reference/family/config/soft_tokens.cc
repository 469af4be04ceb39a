// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/soft_tokens.h"

#include <algorithm>

namespace assay {

bool is_budget(std::size_t soft_tokens) {
  return std::find(kSoftTokenBudgets.begin(), kSoftTokenBudgets.end(), soft_tokens) !=
         kSoftTokenBudgets.end();
}

std::string budgets_text() {
  std::string text;
  for (const std::size_t budget : kSoftTokenBudgets) {
    text += text.empty() ? "" : budget == kSoftTokenBudgets.back() ? " or " : ", ";
    text += std::to_string(budget);
  }
  return text;
}

}  // namespace assay
