// SPDX-License-Identifier: Apache-2.0
// For tests: what the template writes the parser reads back (RP-5, RN-5 to RN-9).
//
//   a plain call        comes back, with nothing to tell
//   with its tool       every call comes back, whatever its name and its keys are
//   a clear call        comes back, or a repair or an error tells of it
//
// The text and the tokens of it are read alike, but for U+2581, which tokens say as a space.
#pragma once

#include <string>

#include "reference/family/chat/answer_reader.h"
#include "reference/family/chat/chat_template.h"
#include "reference/family/testing/generated_call.h"
#include "reference/family/testing/test_streams.h"
#include "reference/family/testing/test_vocabulary.h"
#include "reference/family/tokenizer/vocabulary.h"

namespace assay {

// What the template makes of an assistant's message with this call.
inline std::string written_call(const GeneratedCall& call) {
  Json function = Json::Object{{"name", call.name}, {"arguments", call.arguments}};
  Json message = Json::Object{
      {"role", "assistant"},
      {"tool_calls", Json::Array{Json(Json::Object{{"function", std::move(function)}})}}};
  const std::string text = render_chat(
      Json::Object{{"messages", Json::Array{std::move(message)}}, {"add_generation_prompt", false}},
      TemplateVariant::kSmall);
  return text.substr(text.find("<|tool_call>"));
}

// Why a call is not what was written; empty when it is. Keys may come in another order.
inline std::string difference(const ToolCall& read, const GeneratedCall& written) {
  const JsonLayout sorted{.sorted = true};
  if (!read.error.empty()) {
    return "error: " + read.error;
  }
  if (read.name != written.name) {
    return "name: " + read.name;
  }
  const std::string arguments = json_text(read.arguments, sorted);
  return arguments == json_text(written.arguments, sorted) ? "" : "arguments: " + arguments;
}

// Whether declared keys can be read in one way only: none begins with another and a colon.
inline bool keys_differ(const Json& arguments) {
  std::vector<std::string> keys;
  all_keys(arguments, [&keys](const std::string& key) {
    keys.push_back(key);
    return true;
  });
  return std::ranges::none_of(keys, [&keys](const std::string& key) {
    return std::ranges::any_of(keys, [&key](const std::string& other) {
      return key != other && key.starts_with(other) &&
             without_space(std::string_view(key).substr(other.size())).starts_with(':');
    });
  });
}

// A text as its tokens say it (RT-12).
inline std::string said_by_tokens(std::string text) {
  for (std::size_t at = text.find(kSpaceSymbol); at != std::string::npos;
       at = text.find(kSpaceSymbol, at)) {
    text.replace(at, kSpaceSymbol.size(), " ");
  }
  return text;
}

// Whether the tokens of a text are read as the text that they say.
inline bool tokens_read_alike(const std::string& text, const AnswerOptions& options) {
  const Tokenizer& tokenizer = small_tokenizer();
  return same(parse_answer(tokenizer, tokenizer.encode(text), options),
              parse_answer_text(said_by_tokens(text), options));
}

// What is wrong with one call; empty when the property holds.
inline std::string round_trip_problem(const GeneratedCall& call) {
  const std::string text = written_call(call);
  const Json tools = tools_of(call);
  for (const bool lenient : {true, false}) {
    for (const Json* declared : {static_cast<const Json*>(nullptr), &tools}) {
      AnswerOptions options;
      options.lenient = lenient;
      options.tools = declared;
      const Answer answer = parse_answer_text(text, options);
      const std::string how = std::string(lenient ? "lenient" : "strict") +
                              (declared == nullptr ? ", undeclared: " : ", declared: ");
      if (answer.calls.size() != 1 || !answer.calls[0].complete || !answer.stopped) {
        return how + "not one whole call";
      }
      if (!tokens_read_alike(text, options)) {
        return how + "the tokens read otherwise";
      }
      const ToolCall& read = answer.calls[0];
      const std::string other = difference(read, call);
      const bool plain = is_plain_call(call);
      const bool clear = is_clear_call(call);
      const bool sure = plain || (declared != nullptr && keys_differ(call.arguments));
      if (!other.empty() && (sure || (clear && read.error.empty() && read.repairs.empty()))) {
        return how + other;
      }
      if (plain && !read.repairs.empty()) {
        return how + "repair: " + read.repairs[0];
      }
    }
  }
  return "";
}

}  // namespace assay
