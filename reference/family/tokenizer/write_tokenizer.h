// SPDX-License-Identifier: Apache-2.0
// A vocabulary as the tokenizer.json that read_tokenizer_json and the tokenizers library read: byte
// pair merges with byte fallback, a space spelled U+2581, control tokens matched first.
// Spec: prompting 1.6.
#pragma once

#include <string>

#include "reference/family/tokenizer/vocabulary.h"

namespace assay {

std::string tokenizer_json_text(const Vocabulary& vocabulary);

// tokenizer_config.json: the names of <bos>, <eos>, <unk>, <pad> and <mask>, those that are there.
std::string tokenizer_config_text(const Vocabulary& vocabulary);

}  // namespace assay
