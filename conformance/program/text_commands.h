// SPDX-License-Identifier: Apache-2.0
// The commands about the text around the network: tokenize, prompt, parse, and run, which uses all.
#pragma once

#include <optional>
#include <string>

#include "conformance/program/run_options.h"

namespace assay::program {

struct TokenizeOptions {
  std::string checkpoint;  // folder with a tokenizer.json
  std::string vocab;       // tokenizer.json, GGUF, or token strings joined by NUL
  bool decode = false;
  bool plain = false;         // control literals are text
  bool skip_control = false;  // decoding leaves control tokens out
  std::string file;           // "": standard input
};

struct PromptOptions {
  std::string checkpoint;
  std::string variant;  // small, large; "": as the checkpoint's size asks
  std::string vocab;
  std::string file;
};

struct ParseOptions {
  std::string checkpoint;
  std::string vocab;
  bool strict = false;
  std::string file;
};

// {"id", "text"} in, {"id", "ids"} out; with --decode the other way.
int tokenize(const TokenizeOptions& options);

// Chat cases in, {"id", "text", "ids"} out; {"id", "error"} for what the template rejects.
int prompt(const PromptOptions& options);

// {"id", "ids" or "text", "in_thought", "tools"} in, {"id", "reasoning", "content", …} out; with
// "width" and "height" of an image also its boxes and points.
int parse(const ParseOptions& options);

struct TextOptions {
  TokenizeOptions tokenize;
  PromptOptions prompt;
  ParseOptions parse;
  RunOptions run;
};

// Runs the command of this name, if it is one of these.
std::optional<int> run_text_command(const std::string& command, const TextOptions& options);

}  // namespace assay::program
