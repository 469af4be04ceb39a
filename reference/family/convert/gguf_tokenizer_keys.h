// SPDX-License-Identifier: Apache-2.0
// The tokenizer's part of a GGUF file's metadata, as llama.cpp's converter writes it for Gemma 4:
// tokens, scores (all -1000), types, merges "left right", the ids of <bos>, <eos>, <unk>, <pad> and
// <mask>, the chat template.
//
// Types: 6 for the byte tokens <0x00> to <0xFF>, 3 for control tokens, 4 ("user defined") for the
// seven of them that a parser of answers has to see, 1 for the rest. A model with more embedding
// rows than tokens gets unused tokens (5) for them.
#pragma once

#include <string>

#include "reference/family/checkpoint/gguf_writer.h"
#include "reference/family/tokenizer/vocabulary.h"

namespace assay {

// `rows`: of the embedding. Throws when there are more tokens than rows.
void add_tokenizer_keys(const Vocabulary& vocabulary, std::size_t rows, GgufKeys& keys);

// Of a model whose tokenizer is elsewhere: llama.cpp then takes ids alone.
void add_no_tokenizer(GgufKeys& keys);

}  // namespace assay
