// SPDX-License-Identifier: Apache-2.0
// The tokenizer and the template variant that a command line means.
#pragma once

#include <string>

#include "reference/family/chat/chat_template.h"
#include "reference/family/tokenizer/tokenizer.h"

namespace assay::program {

// From --vocab, else from the checkpoint's folder. Throws when neither is given.
Tokenizer open_tokenizer(const std::string& checkpoint, const std::string& vocab);

// "small" or "large", else what the checkpoint asks for: its own chat_template.jinja where it has
// one of the official third generation, else its size (E2B and E4B are small). An older generation
// is named on standard error and not followed.
TemplateVariant open_variant(const std::string& name, const std::string& checkpoint);

}  // namespace assay::program
