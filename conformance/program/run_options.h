// SPDX-License-Identifier: Apache-2.0
// What `assay run` is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conformance/generation/conversation.h"
#include "conformance/program/implementations.h"

namespace assay::program {

struct RunOptions {
  SessionOptions session;
  std::string vocab;    // a tokenizer; default: the checkpoint's tokenizer.json
  std::string variant;  // of the template: small or large; default: the checkpoint's
  conformance::ConversationOptions conversation;
  bool greedy = false;                // as --temperature 0
  std::optional<double> temperature;  // default: the checkpoint's generation_config.json
  std::optional<std::size_t> top_k;
  std::optional<double> top_p;
  std::uint64_t seed = 0;
  std::size_t max_tokens = 256;
  bool json = false;
  bool check_json = false;  // the answer must be JSON
  std::string prompt;       // empty: interactive, a line a turn
  std::string messages;     // a file of JSON lines, each a message; "-": standard input
};

// Exit status 0, or 1 when --check-json found no JSON.
int run_prompt(const RunOptions& options);

}  // namespace assay::program
