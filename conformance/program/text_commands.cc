// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/text_commands.h"

namespace assay::program {

std::optional<int> run_text_command(const std::string& command, const TextOptions& options) {
  if (command == "tokenize") {
    return tokenize(options.tokenize);
  }
  if (command == "prompt") {
    return prompt(options.prompt);
  }
  if (command == "parse") {
    return parse(options.parse);
  }
  if (command == "run") {
    return run_prompt(options.run);
  }
  return std::nullopt;
}

}  // namespace assay::program
