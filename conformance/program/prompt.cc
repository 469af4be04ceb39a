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
const Json& arguments_of(const Json& line) {
  const Json* input = line.find("input");
  return line.find("messages") == nullptr && input != nullptr ? *input : line;
}

Json rejection(const PromptError& error) {
  Json::Object fields;
  fields.emplace_back("kind", Json(std::string(kind_name(error.kind()))));
  fields.emplace_back("message", Json(std::string(error.what())));
  return Json(std::move(fields));
}

}  // namespace

int prompt(const PromptOptions& options) {
  const TemplateVariant variant = open_variant(options.variant, options.checkpoint);
  std::optional<Tokenizer> tokenizer;
  if (!options.checkpoint.empty() || !options.vocab.empty()) {
    tokenizer.emplace(open_tokenizer(options.checkpoint, options.vocab));
  }
  bool rejected = false;
  for_each_line(options.file, [&](const Json& line) {
    const Json* id = line.find("id");
    Json::Object answer;
    answer.emplace_back("id", id == nullptr ? Json() : *id);
    try {
      const std::string text = render_chat(arguments_of(line), variant);
      answer.emplace_back("text", Json(text));
      if (tokenizer) {
        answer.emplace_back("ids", id_list(tokenizer->encode(text)));
      }
    } catch (const PromptError& error) {
      rejected = true;
      answer.emplace_back("error", rejection(error));
    }
    return Json(std::move(answer));
  });
  return rejected ? 1 : 0;
}

}  // namespace assay::program
