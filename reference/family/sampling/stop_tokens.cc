// SPDX-License-Identifier: Apache-2.0
#include "reference/family/sampling/stop_tokens.h"

#include <set>

namespace assay {

std::vector<std::int32_t> stop_tokens(const GenerationConfig& config, const Tokenizer& tokenizer) {
  std::set<std::int32_t> stop(config.stop.begin(), config.stop.end());
  for (const char* literal : {"<eos>", "<turn|>", "<|tool_response>"}) {
    if (const auto id = tokenizer.id_of(literal)) {
      stop.insert(*id);
    }
  }
  return {stop.begin(), stop.end()};
}

}  // namespace assay
