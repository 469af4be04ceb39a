// SPDX-License-Identifier: Apache-2.0
// assay prompt: chat cases to prompts, a JSON object a line.
#include <optional>

#include "conformance/program/json_lines.h"
#include "conformance/program/text_commands.h"
#include "conformance/program/token_lists.h"
#include "conformance/program/vocabularies.h"
#include "reference/family/chat/prompt_error.h"

namespace assay::program {
namespace {

const char* kind_name(PromptErrorKind kind) {
  switch (kind) {
    case PromptErrorKind::kStringArguments:
      return "string_arguments";
    case PromptErrorKind::kWrongType:
      return "wrong_type";
    case PromptErrorKind::kMissing:
      return "missing";
  }
  return "";
}

// A line is the template's arguments, or {"id", "input": the arguments}.
const Value& arguments_of(const Value& line) {
  const Value* input = line.find("input");
  return line.find("messages") == nullptr && input != nullptr ? *input : line;
}

Value rejection(const PromptError& error) {
  Value::Mapping fields;
  add_field(fields, "kind", Value(std::string(kind_name(error.kind()))));
  add_field(fields, "message", Value(std::string(error.what())));
  return Value(std::move(fields));
}

}  // namespace

int prompt(const PromptOptions& options) {
  const TemplateVariant variant = open_variant(options.variant, options.checkpoint);
  std::optional<Tokenizer> tokenizer;
  if (!options.checkpoint.empty() || !options.vocab.empty()) {
    tokenizer.emplace(open_tokenizer(options.checkpoint, options.vocab));
  }
  bool rejected = false;
  for_each_line(options.file, [&](const Value& line) {
    const Value* id = line.find("id");
    Value::Mapping answer;
    add_field(answer, "id", id == nullptr ? Value() : *id);
    try {
      const std::string text = render_chat(arguments_of(line), variant);
      add_field(answer, "text", Value(text));
      if (tokenizer) {
        add_field(answer, "ids", id_list(tokenizer->encode(text)));
      }
    } catch (const PromptError& error) {
      rejected = true;
      add_field(answer, "error", rejection(error));
    }
    return Value(std::move(answer));
  });
  return rejected ? 1 : 0;
}

}  // namespace assay::program
