// SPDX-License-Identifier: Apache-2.0
// What goes with the weights of a checkpoint, in either form: tokenizer, chat template, sampling.
//
//   tokenizer        tokenizer.json              tokenizer.ggml.*
//   chat template    chat_template.jinja, or     tokenizer.chat_template
//                    tokenizer_config.json
//   sampling         generation_config.json      general.sampling.*
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "reference/family/checkpoint/gguf_writer.h"
#include "reference/family/sampling/generation_config.h"
#include "reference/family/tokenizer/vocabulary.h"

namespace assay {

struct Companions {
  std::optional<Vocabulary> vocabulary;
  std::string chat_template;                // empty: none
  std::optional<SamplingOptions> sampling;  // none where the files say nothing
};

// `checkpoint`: in any form that Checkpoint::open takes.
Companions read_companions(const std::filesystem::path& checkpoint);

// `rows`: of the embedding.
void add_companion_keys(const Companions& companions, std::size_t rows, GgufKeys& keys);

// The files of a Hugging Face directory in the making.
void write_companion_files(const Companions& companions, const std::filesystem::path& directory);

}  // namespace assay
