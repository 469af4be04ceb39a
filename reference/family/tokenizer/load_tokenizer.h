// SPDX-License-Identifier: Apache-2.0
// Tokenizers from files: a checkpoint's tokenizer.json, the tokenizer block of a GGUF file, or a
// plain list of the token strings.
//
// Files are untrusted: sizes and counts are checked before memory is taken. A tokenizer.json that
// asks for anything but what Gemma 4 does (spec prompting 1.6) is refused, because text would be
// cut differently.
#pragma once

#include <cstddef>
#include <filesystem>

#include "reference/family/tokenizer/vocabulary.h"

namespace assay {

constexpr std::size_t kMaxTokenizerBytes = 256u << 20;

Vocabulary read_tokenizer_json(const std::filesystem::path& path);

// tokenizer.ggml.tokens and .merges; the merges are rebuilt where the file has none (RT-16).
Vocabulary read_gguf_tokenizer(const std::filesystem::path& path);

// Token strings in id order, one NUL between two; plain or compressed by xz. Merges are rebuilt.
Vocabulary read_vocabulary_list(const std::filesystem::path& path);

// By what the file is: one of the three above.
Vocabulary read_any_tokenizer(const std::filesystem::path& path);

// The tokenizer.json of a checkpoint's folder, the tokenizer block of a model in GGUF.
Vocabulary read_checkpoint_tokenizer(const std::filesystem::path& checkpoint);

}  // namespace assay
