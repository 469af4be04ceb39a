// SPDX-License-Identifier: Apache-2.0
// What the official chat template rejects, and what it cannot make sense of.
#pragma once

#include <string>

#include "reference/family/base/error.h"

namespace assay {

enum class PromptErrorKind {
  kStringArguments,  // the arguments of a call are a string; the template raises for it
  kWrongType,        // a value of a type that the template cannot use
  kMissing,          // a key that the template needs
};

class PromptError : public Error {
 public:
  PromptError(PromptErrorKind kind, const std::string& message) : Error(message), kind_(kind) {}
  PromptErrorKind kind() const { return kind_; }

 private:
  PromptErrorKind kind_;
};

}  // namespace assay
