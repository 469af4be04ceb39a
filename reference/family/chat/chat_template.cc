// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/chat_template.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "reference/family/chat/declaration.h"
#include "reference/family/chat/message_parts.h"
#include "reference/family/chat/prompt_error.h"
#include "reference/family/chat/python_text.h"
#include "reference/family/chat/text_case.h"
#include "reference/family/chat/tool_blocks.h"

namespace assay {
namespace {

constexpr std::string_view kOpenThought = "<|channel>thought\n";
constexpr std::string_view kEmptyThought = "<|channel>thought\n<channel|>";

// An option of the request; null is as good as false.
bool flag(const Json& request, std::string_view key, bool fallback) {
  const Json* value = request.find(key);
  return value == nullptr ? fallback : truthy(*value);
}

class Renderer {
 public:
  Renderer(const Json& request, TemplateVariant variant)
      : request_(request),
        variant_(variant),
        thinking_(flag(request, "enable_thinking", false)),
        preserve_thinking_(flag(request, "preserve_thinking", false)) {}

  std::string render() {
    read_messages();
    out_ = "<bos>";
    render_system_block();
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      if (role_of(*messages_[i]) == "user") {
        last_user_ = i;
      }
    }
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      if (role_of(*messages_[i]) != "tool") {
        render_named(i);
      }
    }
    if (flag(request_, "add_generation_prompt", true)) {
      render_generation_prompt();
    }
    return out_;
  }

 private:
  enum class Ending { kNothing, kCalls, kResults };  // what the last message ended with

  void read_messages() {
    const Json* list = request_.find("messages");
    if (list == nullptr || !list->is_array()) {
      throw PromptError(PromptErrorKind::kMissing, "messages: got none, expected a list");
    }
    for (const Json& message : list->array()) {
      if (!message.is_object()) {
        throw named({PromptErrorKind::kWrongType, "got another type, expected a mapping"},
                    messages_.size());
      }
      if (!field(message, "role").is_string()) {
        throw named({PromptErrorKind::kMissing, "role: got none, expected text"}, messages_.size());
      }
      messages_.push_back(&message);
    }
  }

  // An error with the number that the message has in the request.
  PromptError named(const PromptError& error, std::size_t message) const {
    return {error.kind(), "messages[" + std::to_string(message + consumed_) + "]: " + error.what()};
  }

  void render_named(std::size_t i) {
    try {
      render_message(i);
    } catch (const PromptError& error) {
      throw named(error, i);
    }
  }

  // One system turn for the switch, the first system message and the tools.
  void render_system_block() {
    const Json& tools = field(request_, "tools");
    const bool has_system = !messages_.empty() && (role_of(*messages_[0]) == "system" ||
                                                   role_of(*messages_[0]) == "developer");
    if (!thinking_ && !truthy(tools) && !has_system) {
      return;
    }
    out_ += "<|turn>system\n";
    if (thinking_) {
      out_ += "<|think|>\n";
    }
    if (has_system) {
      render_system_text(field(*messages_[0], "content"));
      messages_.erase(messages_.begin());
      consumed_ = 1;
    }
    if (truthy(tools)) {
      if (!tools.is_array()) {
        throw PromptError(PromptErrorKind::kWrongType, "tools: got another type, expected a list");
      }
      for (const Json& tool : tools.array()) {
        out_ += "<|tool>" + tool_declaration(tool) + "<tool|>";
      }
    }
    out_ += "<turn|>\n";
  }

  // Oddity: a list of parts leaves a space after each part, a string none.
  void render_system_text(const Json& content) {
    if (content.is_string()) {
      out_ += trim(content.string());
      return;
    }
    try {
      for (const Json& part : parts_of(content)) {
        out_ += std::string(trim(part_text(part))) + " ";
      }
    } catch (const PromptError& error) {
      throw named(error, 0);
    }
  }

  void render_message(std::size_t i) {
    const Json& message = *messages_[i];
    const std::string role = role_of(message);
    const bool assistant = role == "assistant";
    const std::optional<std::size_t> before = neighbour(i, -1);
    const std::optional<std::size_t> after = neighbour(i, 1);
    if (!(assistant && before && role_of(*messages_[*before]) == "assistant")) {
      out_ += "<|turn>" + (assistant ? "model" : role) + "\n";
    }
    render_reasoning(message, i);
    const std::string call_text = call_blocks(message);
    const std::string result_text = results_of(message, i, !call_text.empty());
    const bool calls = !call_text.empty();
    const bool results = !result_text.empty();
    out_ += call_text + result_text;
    const std::string content = rendered_content(field(message, "content"), assistant);
    out_ += content;
    ending_ = results ? Ending::kResults : calls ? Ending::kCalls : Ending::kNothing;

    if (calls && !results) {
      out_ += kOpenResponse;  // the turn stays open for the result
    } else if (assistant && after && role_of(*messages_[*after]) == "assistant") {
      return;  // the next message goes on with this turn
    } else if (results && content.empty() && !after) {
      return;  // the model answers in this turn
    } else {
      out_ += "<turn|>\n";
    }
  }

  // The next message in a direction that is not a tool's.
  std::optional<std::size_t> neighbour(std::size_t i, int step) const {
    for (auto at = static_cast<std::ptrdiff_t>(i) + step;
         at >= 0 && at < static_cast<std::ptrdiff_t>(messages_.size()); at += step) {
      const auto index = static_cast<std::size_t>(at);
      if (role_of(*messages_[index]) != "tool") {
        return index;
      }
    }
    return std::nullopt;
  }

  // Thoughts of the turn that is under way; older ones only where they are to be preserved and
  // led to a call. The text is not trimmed.
  void render_reasoning(const Json& message, std::size_t i) {
    const Json& first = field(message, "reasoning");
    const Json& reasoning = truthy(first) ? first : field(message, "reasoning_content");
    const bool current = !last_user_ || i > *last_user_;
    const bool kept = preserve_thinking_ && truthy(field(message, "tool_calls"));
    if (!truthy(reasoning) || !(current || kept)) {
      return;
    }
    if (!reasoning.is_string()) {
      throw PromptError(PromptErrorKind::kWrongType, "reasoning: got another type, expected text");
    }
    out_ += std::string(kOpenThought) + reasoning.string() + "\n<channel|>";
  }

  // Results stand in the message itself, or, after calls, in the tool messages that follow it.
  std::string results_of(const Json& message, std::size_t i, bool calls) const {
    if (truthy(field(message, "tool_responses"))) {
      return own_result_blocks(message);
    }
    std::string text;
    for (std::size_t at = i + 1;
         calls && at < messages_.size() && role_of(*messages_[at]) == "tool"; ++at) {
      text += result_block(message, *messages_[at]);
    }
    return text;
  }

  // Oddity: parts are glued together, each text trimmed.
  static std::string rendered_content(const Json& content, bool assistant) {
    if (content.is_string()) {
      return kept_text(content.string(), assistant);
    }
    std::string all;
    for (const Json& part : parts_of(content)) {
      if (!is_text_part(part)) {
        all += placeholder(part);
      } else if (assistant && !field(part, "text").is_string()) {
        throw PromptError(PromptErrorKind::kMissing, "content: text: got none, expected text");
      } else {
        all += kept_text(part_text(part), assistant);
      }
    }
    return all;
  }

  static std::string kept_text(const std::string& text, bool assistant) {
    return assistant ? strip_thinking(text) : std::string(trim(text));
  }

  // Oddity: after a text that follows results the turn is closed and no new one is opened.
  void render_generation_prompt() {
    if (ending_ == Ending::kNothing) {
      out_ += "<|turn>model\n";
      if (variant_ == TemplateVariant::kLarge && !thinking_) {
        out_ += kEmptyThought;
      }
    } else if (ending_ == Ending::kResults && thinking_) {
      out_ += kOpenThought;
    }
  }

  const Json& request_;
  TemplateVariant variant_;
  bool thinking_;
  bool preserve_thinking_;
  std::vector<const Json*> messages_;
  std::size_t consumed_ = 0;  // messages taken by the system block
  std::optional<std::size_t> last_user_;
  Ending ending_ = Ending::kNothing;
  std::string out_;
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

std::string render_chat(const Json& request, TemplateVariant variant) {
  return Renderer(request, variant).render();
}

std::string strip_thinking(std::string_view text) {
  constexpr std::string_view kClose = "<channel|>";
  std::string kept;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(kClose, at), text.size());
    const std::string_view piece = text.substr(at, end - at);
    kept += piece.substr(0, piece.find("<|channel>"));
    at = end + kClose.size();
  }
  return std::string(trim(kept));
}

// All three strip thoughts from a history; the second knows of a message's own reasoning, the third
// of preserving it.
std::string template_generation(std::string_view jinja) {
  if (!contains(jinja, "<|turn>")) {
    return "unknown";
  }
  if (contains(jinja, "preserve_thinking")) {
    return "V3";
  }
  return contains(jinja, "reasoning") ? "V2" : "V1";
}

}  // namespace assay
