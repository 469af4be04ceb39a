// SPDX-License-Identifier: Apache-2.0
// assay parse: model turns to reasoning, content and tool calls, a JSON object a line.
#include <charconv>
#include <optional>

#include "conformance/program/answer_json.h"
#include "conformance/program/json_lines.h"
#include "conformance/program/text_commands.h"
#include "conformance/program/token_lists.h"
#include "conformance/program/vocabularies.h"
#include "reference/family/base/error.h"
#include "reference/family/chat/answer_reader.h"
#include "reference/family/chat/python_text.h"

namespace assay::program {
namespace {

Answer parsed(const Json& line, const std::optional<Tokenizer>& tokenizer,
              const AnswerOptions& options) {
  if (const Json* ids = line.find("ids")) {
    if (!tokenizer) {
      throw Error("ids: got no tokenizer, expected --checkpoint or --vocab");
    }
    return parse_answer(*tokenizer, ids_of(*ids), options);
  }
  const Json& text = needed(line, "text");
  if (!text.is_string()) {
    throw Error("text: got another type, expected a string");
  }
  return parse_answer_text(text.string(), options);
}

// A side of the image that boxes and points are told of; nothing where the line has none.
std::optional<std::size_t> side_of(const Json& line, const char* key) {
  const Json* value = line.find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  std::size_t side = 0;
  if (value->is_number()) {
    const std::string& text = value->number();
    const auto [end, state] = std::from_chars(text.data(), text.data() + text.size(), side);
    side = state == std::errc() && end == text.data() + text.size() ? side : 0;
  }
  if (side == 0) {
    throw Error(std::string(key) + ": got " + printable(json_text(*value)) +
                ", expected pixels of an image");
  }
  return side;
}

}  // namespace

int parse(const ParseOptions& options) {
  std::optional<Tokenizer> tokenizer;
  if (!options.checkpoint.empty() || !options.vocab.empty()) {
    tokenizer.emplace(open_tokenizer(options.checkpoint, options.vocab));
  }
  for_each_line(options.file, [&](const Json& line) {
    AnswerOptions how;
    const Json* in_thought = line.find("in_thought");
    how.in_thought = in_thought != nullptr && truthy(*in_thought);
    how.lenient = !options.strict;
    how.tools = line.find("tools");
    const Json* id = line.find("id");
    Json::Object answer;
    answer.emplace_back("id", id == nullptr ? Json() : *id);
    const Answer read = parsed(line, tokenizer, how);
    for (auto& field : answer_fields(read)) {
      answer.emplace_back(field.first, std::move(field.second));
    }
    const auto width = side_of(line, "width");
    const auto height = side_of(line, "height");
    if (width && height) {
      answer.emplace_back("regions", region_fields(read, *width, *height));
    }
    return Json(std::move(answer));
  });
  return 0;
}

}  // namespace assay::program
