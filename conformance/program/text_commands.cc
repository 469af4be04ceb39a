// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/text_commands.h"

#include <CLI/CLI.hpp>

#include "reference/family/config/sizes.h"

namespace assay::program {
namespace {

constexpr const char* kVocabHelp =
    "the tokenizer: tokenizer.json, a GGUF file, or token strings joined by NUL (also as .xz)";

bool has_no_ple(const ReleasedSize& size) {
  return !has_ple(size);
}

void add_tokenize(CLI::App& app, TokenizeOptions& o) {
  auto* c = app.add_subcommand("tokenize", "text to ids: {id, text} a line in, {id, ids} out");
  c->add_option("--checkpoint", o.checkpoint, "folder with a tokenizer.json");
  c->add_option("--vocab", o.vocab, kVocabHelp);
  c->add_flag("--decode", o.decode, "ids to text: {id, ids} in, {id, text} out");
  c->add_flag("--plain", o.plain, "control literals in the text are text, not control tokens");
  c->add_flag("--skip-control", o.skip_control, "with --decode: leave control tokens out");
  c->add_option("file", o.file, "JSON lines; default: standard input");
}

void add_prompt(CLI::App& app, PromptOptions& o) {
  auto* c = app.add_subcommand("prompt", "chat cases to prompts: {id, text, ids} a line");
  c->add_option("--checkpoint", o.checkpoint, "folder whose size chooses the template");
  c->add_option("--template", o.variant,
                "small (" + size_titles(has_ple) + ") or large (" + size_titles(has_no_ple) + ")");
  c->add_option("--vocab", o.vocab, kVocabHelp);
  c->add_option("file", o.file, "JSON lines: messages, tools, …; default: standard input");
}

void add_parse(CLI::App& app, ParseOptions& o) {
  auto* c = app.add_subcommand("parse", "model turns to reasoning, content and tool calls");
  c->add_option("--checkpoint", o.checkpoint, "folder with a tokenizer.json, for lines with ids");
  c->add_option("--vocab", o.vocab, kVocabHelp);
  c->add_flag("--strict", o.strict, "repair nothing");
  c->add_option("file", o.file, "JSON lines: {id, ids or text, in_thought, tools, width, height}");
}

}  // namespace

void add_text_commands(CLI::App& app, TextOptions& options) {
  add_tokenize(app, options.tokenize);
  add_prompt(app, options.prompt);
  add_parse(app, options.parse);
  add_run(app, options.run);
}

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
