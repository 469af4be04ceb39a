// SPDX-License-Identifier: Apache-2.0
// For tests: the small committed vocabulary, the released one where it is at hand, tables of
// vectors.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "reference/family/base/json_object.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/tokenizer/load_tokenizer.h"
#include "reference/family/tokenizer/tokenizer.h"

namespace assay {

inline std::filesystem::path golden_path(const std::string& name) {
  return std::filesystem::path(source_dir()) / "golden" / name;
}

inline std::filesystem::path small_tokenizer_file() {
  return golden_path("tokenizer/tokenizer.json");
}

inline const Tokenizer& small_tokenizer() {
  static const Tokenizer tokenizer(read_tokenizer_json(small_tokenizer_file()));
  return tokenizer;
}

// The released vocabulary is not in the repository: the file that ASSAY_VOCABULARY names, else a
// list beside the project; an empty path where there is none.
inline std::filesystem::path released_vocabulary_file() {
  if (const char* named = std::getenv("ASSAY_VOCABULARY")) {
    return named;
  }
  const std::filesystem::path beside = std::filesystem::path(source_dir()).parent_path() /
                                       "shared/data/tokenizer/gemma4_vocab_nul.xz";
  return std::filesystem::exists(beside) ? beside : std::filesystem::path();
}

inline Json golden_json(const std::string& name) {
  return parse_json_file(golden_path(name), name, kMaxConfigBytes);
}

using Ids = std::vector<std::int32_t>;

}  // namespace assay
