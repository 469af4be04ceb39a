// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/text_requests.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/chat/answer_reader.h"
#include "reference/family/chat/chat_template.h"
#include "reference/family/chat/python_text.h"
#include "reference/family/sampling/stop_tokens.h"
#include "reference/family/tokenizer/load_tokenizer.h"

namespace assay::conformance {
namespace {

std::string text_of(const Json& value, const std::string& what) {
  if (!value.is_string()) {
    throw Error(what + ": got another type, expected a string");
  }
  return value.string();
}

std::vector<std::int32_t> ids_of(const Json& list, const std::string& what) {
  if (!list.is_array()) {
    throw Error(what + ": got another type, expected a list of token ids");
  }
  std::vector<std::int32_t> ids;
  for (const Json& item : list.array()) {
    std::int32_t id = -1;
    if (item.is_number()) {
      std::from_chars(item.number().data(), item.number().data() + item.number().size(), id);
    }
    if (id < 0) {
      throw Error(what + "[" + std::to_string(ids.size()) + "]: got no token id, expected one");
    }
    ids.push_back(id);
  }
  return ids;
}

std::string calls_text(const Answer& answer) {
  Json::Array calls;
  for (const ToolCall& call : answer.calls) {
    Json::Object fields;
    fields.emplace_back("name", Json(call.name));
    fields.emplace_back("arguments", call.arguments);
    calls.emplace_back(std::move(fields));
  }
  return json_text(Json(std::move(calls)));
}

class Requests {
 public:
  Requests(const std::string& checkpoint, TapListener& taps)
      : tokenizer_(read_checkpoint_tokenizer(checkpoint)), checkpoint_(checkpoint), taps_(taps) {}

  void answer(const Json& request, std::size_t number) {
    what_ = "request " + std::to_string(number);
    number_ = std::to_string(number);
    if (const Json* text = request.find("tokenize")) {
      emit_ids("tok", "ids", tokenizer_.encode(text_of(*text, what_)));
    } else if (const Json* ids = request.find("decode")) {
      emit_text("tok", "text", tokenizer_.decode(ids_of(*ids, what_)));
    } else if (const Json* chat = request.find("render")) {
      render(*chat, request.find("variant"));
    } else if (const Json* turn = request.find("parse")) {
      parse(*turn, request);
    } else if (const Json* answer = request.find("stop")) {
      stop(ids_of(*answer, what_));
    } else {
      throw Error(what_ + ": got none of tokenize, decode, render, parse and stop");
    }
  }

 private:
  void render(const Json& chat, const Json* variant) {
    const std::string name = variant == nullptr ? "" : text_of(*variant, what_ + ": variant");
    if (name != "small" && name != "large") {
      throw Error(what_ + ": variant: got '" + printable(name) + "', expected small or large");
    }
    const std::string text =
        render_chat(chat, name == "small" ? TemplateVariant::kSmall : TemplateVariant::kLarge);
    emit_text("tpl", "text", text);
    emit_ids("tpl", "ids", tokenizer_.encode(text));
  }

  void parse(const Json& turn, const Json& request) {
    AnswerOptions options;
    const Json* open = request.find("in_thought");
    options.in_thought = open != nullptr && truthy(*open);
    options.tools = request.find("tools");
    const Answer answer = parse_answer(tokenizer_, ids_of(turn, what_), options);
    emit_text("parse", "reasoning", answer.reasoning());
    emit_text("parse", "content", answer.content);
    emit_text("parse", "calls", calls_text(answer));
  }

  void stop(const std::vector<std::int32_t>& ids) {
    const auto ends = stop_tokens(read_generation_config(checkpoint_), tokenizer_);
    const auto end = std::ranges::find_first_of(ids, ends);
    const auto length = static_cast<std::int32_t>(end - ids.begin());
    emit_ids("stop", "length", {length + (end == ids.end() ? 0 : 1)});
  }

  void emit_ids(const char* kind, const char* name, const std::vector<std::int32_t>& ids) {
    const std::string tap = std::string(kind) + "." + number_ + "." + name;
    if (taps_.wants(tap)) {
      const std::size_t count = ids.size();
      taps_.on_tap({tap, TensorDtype::kI32, {&count, 1}, ids.data()});
    }
  }

  void emit_text(const char* kind, const char* name, const std::string& text) {
    std::vector<std::int32_t> bytes;
    for (const char c : text) {
      bytes.push_back(static_cast<unsigned char>(c));
    }
    bytes.push_back(0);
    emit_ids(kind, name, bytes);
  }

  Tokenizer tokenizer_;
  std::string checkpoint_;
  TapListener& taps_;
  std::string what_;
  std::string number_;
};

}  // namespace

void answer_requests(const TextRequests& requests, const std::string& checkpoint,
                     TapListener& taps) {
  const Json list = parse_json(requests, "requests", kChatRules);
  if (!list.is_array()) {
    throw Error("requests: got another type, expected a list");
  }
  Requests all(checkpoint, taps);
  for (std::size_t k = 0; k < list.array().size(); ++k) {
    all.answer(list.array()[k], k);
  }
}

}  // namespace assay::conformance
