// SPDX-License-Identifier: Apache-2.0
// The tokenizer block of a GGUF file's metadata (spec prompting 1.7).
#include <algorithm>

#include "reference/family/base/error.h"
#include "reference/family/base/mapped_file.h"
#include "reference/family/checkpoint/gguf_metadata.h"
#include "reference/family/tokenizer/load_tokenizer.h"

namespace assay {
namespace {

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kMerges = "tokenizer.ggml.merges";

// "left right" to ids.
Merges parse_merges(const std::vector<std::string>& lines, const Vocabulary& vocabulary) {
  const TokenIds ids(vocabulary.tokens);
  Merges merges;
  merges.reserve(lines.size());
  for (const std::string& line : lines) {
    const std::string_view text = line;
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::int32_t left = ids.find(text.substr(0, space));
    const std::int32_t right = space == text.size() ? kNoToken : ids.find(text.substr(space + 1));
    if (left == kNoToken || right == kNoToken) {
      throw Error(vocabulary.source + ": " + kMerges + "[" + std::to_string(merges.size()) +
                  "]: got '" + printable(line) + "', expected two tokens and a space between");
    }
    merges.emplace_back(left, right);
  }
  return merges;
}

}  // namespace

Vocabulary read_gguf_tokenizer(const std::filesystem::path& path) {
  const MappedFile file = MappedFile::open(path, path.string());
  Vocabulary vocabulary;
  vocabulary.source = path.string();
  const GgufMetadata metadata(file.bytes(), vocabulary.source);
  vocabulary.tokens = metadata.strings(kTokens, kMaxVocabulary);
  if (vocabulary.tokens.empty()) {
    throw Error(vocabulary.source + ": " + kTokens + ": got none, expected tokens");
  }
  check_sizes(vocabulary);
  vocabulary.merges = metadata.find(kMerges) != nullptr
                          ? parse_merges(metadata.strings(kMerges, kMaxMerges), vocabulary)
                          : rebuild_merges(vocabulary.tokens);
  vocabulary.added = control_tokens(vocabulary.tokens);
  return vocabulary;
}

}  // namespace assay
