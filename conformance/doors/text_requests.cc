// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/text_requests.h"

#include <algorithm>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/chat/answer_reader.h"
#include "reference/family/chat/chat_template.h"
#include "reference/family/sampling/stop_tokens.h"
#include "reference/family/tokenizer/load_tokenizer.h"

namespace assay::conformance {
namespace {

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

  void answer(const TextRequest& request, std::size_t number) {
    number_ = std::to_string(number);
    std::visit([this](const auto& each) { answer(each); }, request);
  }

 private:
  void answer(const TokenizeRequest& request) {
    emit_ids("tok", "ids", tokenizer_.encode(request.text));
  }

  void answer(const DecodeRequest& request) {
    emit_text("tok", "text", tokenizer_.decode(request.ids));
  }

  void answer(const RenderRequest& request) {
    const Json chat = parse_json(request.chat, "request " + number_ + ": chat", kChatRules);
    const auto variant = request.large ? TemplateVariant::kLarge : TemplateVariant::kSmall;
    const std::string text = render_chat(chat, variant);
    emit_text("tpl", "text", text);
    emit_ids("tpl", "ids", tokenizer_.encode(text));
  }

  void answer(const ParseRequest& request) {
    AnswerOptions options;
    options.in_thought = request.in_thought;
    Json tools;
    if (!request.tools.empty()) {
      tools = parse_json(request.tools, "request " + number_ + ": tools", kChatRules);
      options.tools = &tools;
    }
    const Answer answer = parse_answer(tokenizer_, request.ids, options);
    emit_text("parse", "reasoning", answer.reasoning());
    emit_text("parse", "content", answer.content);
    emit_text("parse", "calls", calls_text(answer));
  }

  void answer(const StopRequest& request) {
    const auto ends = stop_tokens(read_generation_config(checkpoint_), tokenizer_);
    const auto end = std::ranges::find_first_of(request.ids, ends);
    const auto length = static_cast<std::int32_t>(end - request.ids.begin());
    emit_ids("stop", "length", {length + (end == request.ids.end() ? 0 : 1)});
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
  std::string number_;
};

}  // namespace

void answer_requests(const std::vector<TextRequest>& requests, const std::string& checkpoint,
                     TapListener& taps) {
  Requests all(checkpoint, taps);
  for (std::size_t k = 0; k < requests.size(); ++k) {
    all.answer(requests[k], k);
  }
}

}  // namespace assay::conformance
