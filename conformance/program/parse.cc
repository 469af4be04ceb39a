// SPDX-License-Identifier: Apache-2.0
// assay parse: model turns to reasoning, content and tool calls, a JSON object a line.
#include <optional>

#include "conformance/program/answer_json.h"
#include "conformance/program/json_lines.h"
#include "conformance/program/text_commands.h"
#include "conformance/program/token_lists.h"
#include "conformance/program/vocabularies.h"
#include "reference/answer/answer_reader.h"
#include "reference/core/error.h"

namespace assay::program {
namespace {

Answer parsed(const Value& line, const std::optional<Tokenizer>& tokenizer,
              const AnswerOptions& options) {
  if (const Value* ids = line.find("ids")) {
    if (!tokenizer) {
      throw Error("ids: got no tokenizer, expected --checkpoint or --vocab");
    }
    return parse_answer(*tokenizer, ids_of(*ids), options);
  }
  const Value& text = needed(line, "text");
  if (!text.is_string()) {
    throw Error("text: got another type, expected a string");
  }
  return parse_answer_text(text.string(), options);
}

}  // namespace

int parse(const ParseOptions& options) {
  std::optional<Tokenizer> tokenizer;
  if (!options.checkpoint.empty() || !options.vocab.empty()) {
    tokenizer.emplace(open_tokenizer(options.checkpoint, options.vocab));
  }
  for_each_line(options.file, [&](const Value& line) {
    AnswerOptions how;
    const Value* in_thought = line.find("in_thought");
    how.in_thought = in_thought != nullptr && in_thought->truthy();
    how.lenient = !options.strict;
    how.tools = line.find("tools");
    const Value* id = line.find("id");
    Value::Mapping answer;
    add_field(answer, "id", id == nullptr ? Value() : *id);
    for (auto& field : answer_fields(parsed(line, tokenizer, how))) {
      add_field(answer, field.first, std::move(field.second));
    }
    return Value(std::move(answer));
  });
  return 0;
}

}  // namespace assay::program
