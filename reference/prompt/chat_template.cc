// SPDX-License-Identifier: Apache-2.0
#include "reference/prompt/chat_template.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "reference/prompt/declaration.h"
#include "reference/prompt/prompt_error.h"
#include "reference/prompt/text_case.h"

namespace assay {
namespace {

constexpr std::string_view kOpenThought = "<|channel>thought\n";
constexpr std::string_view kEmptyThought = "<|channel>thought\n<channel|>";
constexpr std::string_view kOpenResponse = "<|tool_response>";
constexpr std::string_view kCloseResponse = "<tool_response|>";

const Value& null_value() {
  static const Value null;
  return null;
}

const Value& field(const Value& mapping, std::string_view key) {
  const Value* value = mapping.find(key);
  return value == nullptr ? null_value() : *value;
}

bool flag(const Value& request, std::string_view key, bool fallback) {
  const Value* value = request.find(key);
  return value == nullptr || value->is_null() ? fallback : value->truthy();
}

std::string role_of(const Value& message) {
  const Value& role = field(message, "role");
  return role.is_string() ? role.string() : "";
}

// The placeholder of a part of a message that is media; empty for text and for what is unknown.
std::string_view placeholder(const Value& part) {
  const Value& type = field(part, "type");
  const std::string_view name = type.is_string() ? std::string_view(type.string()) : "";
  if (name == "image" || name == "image_url") {
    return "<|image|>";
  }
  if (name == "audio" || name == "input_audio") {
    return "<|audio|>";
  }
  return name == "video" ? "<|video|>" : "";
}

bool is_text(const Value& part) {
  const Value& type = field(part, "type");
  return type.is_string() && type.string() == "text";
}

std::string text_of(const Value& part) {
  const Value* text = part.find("text");
  return text == nullptr ? "" : python_text(*text);
}

class Renderer {
 public:
  Renderer(const Value& request, TemplateVariant variant)
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
        render_message(i);
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
    const Value* list = request_.find("messages");
    if (list == nullptr || !list->is_list()) {
      throw PromptError(PromptErrorKind::kMissing, "messages: got none, expected a list");
    }
    for (const Value& message : list->list()) {
      if (!message.is_mapping()) {
        fail(PromptErrorKind::kWrongType, messages_.size(), "got another type", "a mapping");
      }
      if (!field(message, "role").is_string()) {
        fail(PromptErrorKind::kMissing, messages_.size(), "role: got none", "text");
      }
      messages_.push_back(&message);
    }
  }

  [[noreturn]] void fail(PromptErrorKind kind, std::size_t message, const std::string& got,
                         const std::string& expected) const {
    throw PromptError(kind, "messages[" + std::to_string(message + consumed_) + "]: " + got +
                                ", expected " + expected);
  }

  // One system turn for the switch, the first system message and the tools.
  void render_system_block() {
    const Value& tools = field(request_, "tools");
    const bool has_system = !messages_.empty() && (role_of(*messages_[0]) == "system" ||
                                                   role_of(*messages_[0]) == "developer");
    if (!thinking_ && !tools.truthy() && !has_system) {
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
    if (tools.truthy()) {
      if (!tools.is_list()) {
        throw PromptError(PromptErrorKind::kWrongType, "tools: got another type, expected a list");
      }
      for (const Value& tool : tools.list()) {
        out_ += "<|tool>" + tool_declaration(tool) + "<tool|>";
      }
    }
    out_ += "<turn|>\n";
  }

  // Oddity: a list of parts leaves a space behind each part, a string none.
  void render_system_text(const Value& content) {
    if (content.is_string()) {
      out_ += trim(content.string());
    } else if (content.is_list()) {
      for (const Value& part : content.list()) {
        out_ += std::string(trim(text_of(part))) + " ";
      }
    }
  }

  void render_message(std::size_t i) {
    const Value& message = *messages_[i];
    const std::string role = role_of(message);
    const bool assistant = role == "assistant";
    const std::optional<std::size_t> before = neighbour(i, -1);
    const std::optional<std::size_t> after = neighbour(i, 1);
    if (!(assistant && before && role_of(*messages_[*before]) == "assistant")) {
      out_ += "<|turn>" + (assistant ? "model" : role) + "\n";
    }
    render_reasoning(message, i);
    const bool calls = render_calls(message, i);
    const bool results = render_results(message, i, calls);
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
  void render_reasoning(const Value& message, std::size_t i) {
    const Value& first = field(message, "reasoning");
    const Value& reasoning = first.truthy() ? first : field(message, "reasoning_content");
    const bool current = !last_user_ || i > *last_user_;
    const bool kept = preserve_thinking_ && field(message, "tool_calls").truthy();
    if (reasoning.truthy() && (current || kept)) {
      out_ += std::string(kOpenThought) + python_text(reasoning) + "\n<channel|>";
    }
  }

  bool render_calls(const Value& message, std::size_t i) {
    const Value& calls = field(message, "tool_calls");
    if (!calls.truthy()) {
      return false;
    }
    if (!calls.is_list()) {
      fail(PromptErrorKind::kWrongType, i, "tool_calls: got another type", "a list");
    }
    for (const Value& call : calls.list()) {
      const Value& function = field(call, "function");
      const Value& name = field(function, "name");
      if (!name.is_string()) {
        fail(PromptErrorKind::kMissing, i, "tool_calls: function: name: got none", "text");
      }
      out_ += "<|tool_call>call:" + name.string() + "{" +
              call_arguments(field(function, "arguments"), i) + "}<tool_call|>";
    }
    return true;
  }

  std::string call_arguments(const Value& arguments, std::size_t i) const {
    if (arguments.is_mapping()) {
      return prompt_pairs(arguments.mapping());
    }
    if (arguments.is_string()) {
      fail(PromptErrorKind::kStringArguments, i, "tool_calls: arguments: got a string",
           "a mapping");
    }
    if (!arguments.is_null()) {
      fail(PromptErrorKind::kWrongType, i, "tool_calls: arguments: got another type", "a mapping");
    }
    return "";
  }

  // Whether there were any. Results stand in the message itself, or in the tool messages behind.
  bool render_results(const Value& message, std::size_t i, bool calls) {
    const Value& own = field(message, "tool_responses");
    if (own.truthy()) {
      if (!own.is_list()) {
        fail(PromptErrorKind::kWrongType, i, "tool_responses: got another type", "a list");
      }
      for (const Value& entry : own.list()) {
        const Value& name = field(entry, "name");
        render_result(name.truthy() ? python_text(name) : "unknown", field(entry, "response"));
      }
      return true;
    }
    bool any = false;
    for (std::size_t at = i + 1;
         calls && at < messages_.size() && role_of(*messages_[at]) == "tool"; ++at) {
      render_tool_message(message, *messages_[at]);
      any = true;
    }
    return any;
  }

  void render_tool_message(const Value& caller, const Value& message) {
    const Value& content = field(message, "content");
    const std::string name = result_name(caller, message);
    if (!content.is_list()) {
      render_result(name, content);
      return;
    }
    std::string text;
    std::string media;
    for (const Value& part : content.list()) {
      text += is_text(part) ? text_of(part) : "";
      media += placeholder(part);
    }
    render_result(name, Value(text));
    out_ += media;
  }

  // The name of the call with the same id, else the message's own.
  static std::string result_name(const Value& caller, const Value& message) {
    const Value& id = field(message, "tool_call_id");
    for (const Value& call : field(caller, "tool_calls").list()) {
      if (!id.is_null() && field(call, "id") == id) {
        return field(field(call, "function"), "name").string();
      }
    }
    const Value& name = field(message, "name");
    return name.truthy() ? python_text(name) : "unknown";
  }

  // Oddity: a string is never parsed, even if it is JSON.
  void render_result(const std::string& name, const Value& response) {
    out_ += std::string(kOpenResponse) + "response:" + name + "{";
    out_ += response.is_mapping() ? prompt_pairs(response.mapping())
                                  : "value:" + prompt_value(response, KeyStyle::kBare);
    out_ += "}" + std::string(kCloseResponse);
  }

  // Oddity: parts are glued together, each text trimmed.
  static std::string rendered_content(const Value& content, bool assistant) {
    const auto text = [assistant](const std::string& raw) {
      return assistant ? strip_thinking(raw) : std::string(trim(raw));
    };
    if (content.is_string()) {
      return text(content.string());
    }
    std::string all;
    if (content.is_list()) {
      for (const Value& part : content.list()) {
        all += is_text(part) ? text(text_of(part)) : std::string(placeholder(part));
      }
    }
    return all;
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

  const Value& request_;
  TemplateVariant variant_;
  bool thinking_;
  bool preserve_thinking_;
  std::vector<const Value*> messages_;
  std::size_t consumed_ = 0;  // messages taken by the system block
  std::optional<std::size_t> last_user_;
  Ending ending_ = Ending::kNothing;
  std::string out_;
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

std::string render_chat(const Value& request, TemplateVariant variant) {
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

std::string template_generation(std::string_view jinja) {
  if (!contains(jinja, "<|turn>")) {
    return "unknown";
  }
  if (contains(jinja, "preserve_thinking")) {
    return "V3";
  }
  return contains(jinja, "reasoning") || contains(jinja, "strip_thinking") ? "V2" : "V1";
}

}  // namespace assay
