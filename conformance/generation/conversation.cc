// SPDX-License-Identifier: Apache-2.0
#include "conformance/generation/conversation.h"

#include <algorithm>
#include <span>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/base/mapped_file.h"
#include "reference/family/chat/message_parts.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kMaxMediaBytes = std::size_t{4} << 30;

Json text_value(const std::string& text) {
  return Json(text);
}

Json entry(const char* role, Json content) {
  Json::Object message;
  message.emplace_back("role", text_value(role));
  message.emplace_back("content", std::move(content));
  return Json(std::move(message));
}

std::string text_of(const Json* mapping, std::string_view key) {
  const Json* value = mapping == nullptr ? nullptr : mapping->find(key);
  return value != nullptr && value->is_string() ? value->string() : "";
}

Json call_entry(const std::string& id, const ToolCall& call) {
  Json function = Json::Object{{"name", call.name},
                               {"arguments", call.error.empty() ? call.arguments : Json()}};
  return Json(Json::Object{{"id", id}, {"type", "function"}, {"function", std::move(function)}});
}

// The template writes a LINE FEED after a thought, which the parser has left in it.
std::string thought_of(const Answer& answer) {
  std::string thought = answer.reasoning();
  if (thought.ends_with('\n')) {
    thought.pop_back();
  }
  return thought;
}

// Parts of text are one string, as the template has it; the rest stays what it is.
Json result_of(const Json& content) {
  std::string text;
  for (std::size_t i = 0; content.is_array() && i < content.size(); ++i) {
    if (!is_text_part(content.array()[i])) {
      return content;
    }
    text += part_text(content.array()[i]);
  }
  return content.is_array() && content.size() > 0 ? Json(text) : content;
}

Json part(const char* type) {
  Json::Object fields;
  fields.emplace_back("type", text_value(type));
  return Json(std::move(fields));
}

std::span<const std::byte> checked_bytes(const MappedFile& file, const std::string& path) {
  if (file.bytes().size() > kMaxMediaBytes) {
    throw Error(path + ": got " + std::to_string(file.bytes().size()) +
                " bytes, expected at most " + std::to_string(kMaxMediaBytes));
  }
  return file.bytes();
}

MediaItem media_item(MediaKind kind, const std::string& path, const ConversationOptions& options) {
  const MappedFile file = MappedFile::open(path, path);
  const auto bytes = checked_bytes(file, path);
  MediaItem item;
  item.kind = kind;
  item.file.resize(bytes.size());
  std::transform(bytes.begin(), bytes.end(), item.file.begin(),
                 [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
  item.name = path;
  item.budget = options.budget;
  item.num_frames = options.num_frames;
  item.frame_rate = options.frame_rate;
  return item;
}

Json read_tools(const std::string& path) {
  if (path.empty()) {
    return {};
  }
  const MappedFile file = MappedFile::open(path, path);
  const auto bytes = checked_bytes(file, path);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes to characters
  Json tools =
      parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path, kChatRules);
  if (!tools.is_array()) {
    throw Error(path + ": got another type, expected a list of tools");
  }
  return tools;
}

// The tokens that time stamps are written with, where the vocabulary has them all.
std::vector<std::int32_t> stamp_ids(const Tokenizer& tokenizer) {
  std::vector<std::int32_t> ids;
  for (const char* token : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", ":"}) {
    ids.push_back(tokenizer.id_of(token).value_or(-1));
  }
  ids.push_back(tokenizer.id_of(kSpaceSymbol).value_or(-1));
  return std::ranges::find(ids, -1) == ids.end() ? ids : std::vector<std::int32_t>{};
}

}  // namespace

Conversation::Conversation(const ConversationOptions& options, const Tokenizer& tokenizer,
                           TemplateVariant variant)
    : options_(options),
      tokenizer_(tokenizer),
      variant_(variant),
      tools_(read_tools(options.tools)) {
  for (const std::string& path : options.images) {
    media_.push_back(media_item(MediaKind::kImage, path, options));
  }
  for (const std::string& path : options.clips) {
    media_.push_back(media_item(MediaKind::kAudio, path, options));
  }
  for (const std::string& path : options.videos) {
    media_.push_back(media_item(MediaKind::kVideo, path, options));
  }
  if (!options.system.empty()) {
    messages_.push_back(entry("system", text_value(options.system)));
  }
}

void Conversation::add_user(const std::string& text) {
  calls_.clear();
  messages_.push_back(entry("user", has_user_ ? text_value(text) : first_content(text)));
  newest_ = text;
  has_user_ = true;
}

Json Conversation::first_content(const std::string& text) const {
  if (media_.empty()) {
    return text_value(text);
  }
  Json::Array parts;
  for (const auto& item : media_) {
    parts.push_back(part(media_kind_name(item.kind)));
  }
  Json::Object words;
  words.emplace_back("type", text_value("text"));
  words.emplace_back("text", text_value(text));
  parts.emplace_back(std::move(words));
  return Json(std::move(parts));
}

std::vector<std::string> Conversation::add_answer(const Answer& answer) {
  std::vector<std::string> ids;
  Json::Array calls;
  for (const ToolCall& call : answer.calls) {
    const bool kept = call.complete && !call.name.empty();
    ids.push_back(kept ? "call_" + std::to_string(++count_calls_) : "");
    if (kept) {
      calls.push_back(call_entry(ids.back(), call));
    }
  }
  Json message = entry("assistant", text_value(answer.content));
  if (const std::string thought = thought_of(answer); !thought.empty()) {
    message["reasoning"] = thought;
  }
  if (!calls.empty() && !answer.content.empty()) {
    messages_.push_back(std::exchange(message, entry("assistant", text_value(""))));
  }
  if (!calls.empty()) {
    message["tool_calls"] = std::move(calls);
  }
  open_calls(message);
  messages_.push_back(std::move(message));
  return ids;
}

void Conversation::open_calls(const Json& message) {
  calls_.clear();
  const Json* calls = message.find("tool_calls");
  const bool answered = message.contains("tool_responses");
  for (std::size_t i = 0; calls != nullptr && calls->is_array() && i < calls->size(); ++i) {
    const Json& call = calls->array()[i];
    const Json* function = call.find("function");
    calls_.push_back({text_of(&call, "id"), text_of(function, "name"), {}});
    if (answered) {
      calls_.back().result = Json();
    }
  }
}

void Conversation::add_result(const std::string& tool, Json result) {
  const auto call = std::ranges::find_if(calls_, [&tool](const Call& each) {
    return !each.result && (each.name == tool || (!tool.empty() && each.id == tool));
  });
  if (call == calls_.end()) {
    std::string names;
    for (const std::string& name : unanswered()) {
      names += (names.empty() ? "" : ", ") + name;
    }
    throw Error("result: got one of '" + printable(tool) + "', expected one of " +
                (names.empty() ? "a tool that was called: none waits" : names));
  }
  call->result = std::move(result);
  Json::Array results;
  for (const Call& each : calls_) {
    if (each.result) {
      results.emplace_back(Json::Object{{"name", each.name}, {"response", *each.result}});
    }
  }
  messages_.back()["tool_responses"] = std::move(results);
}

void Conversation::add_message(const Json& message) {
  const std::string role = text_of(&message, "role");
  if (role.empty()) {
    throw Error("message: got " + printable(json_text(message)) + ", expected a role and content");
  }
  const Json* content = message.find("content");
  if (role == "user" && content != nullptr && content->is_string()) {
    add_user(content->string());
  } else if (role == "tool") {
    const std::string id = text_of(&message, "tool_call_id");
    add_result(id.empty() ? text_of(&message, "name") : id,
               content == nullptr ? Json() : result_of(*content));
  } else {
    open_calls(message);
    messages_.push_back(message);
    has_user_ = has_user_ || role == "user";
  }
}

std::vector<std::string> Conversation::unanswered() const {
  std::vector<std::string> names;
  for (const Call& call : calls_) {
    if (!call.result) {
      names.push_back(call.name);
    }
  }
  return names;
}

bool Conversation::awaits_answer() const {
  if (messages_.empty()) {
    return false;
  }
  return text_of(&messages_.back(), "role") == "user" || (!calls_.empty() && unanswered().empty());
}

std::string Conversation::text() const {
  if (options_.raw) {
    return newest_;
  }
  Json::Object request;
  request.emplace_back("messages", Json(messages_));
  request.emplace_back("tools", tools_);
  request.emplace_back("enable_thinking", Json(options_.think));
  return render_chat(Json(std::move(request)), variant_);
}

bool Conversation::opens_thought() const {
  const std::string prompt = text();
  constexpr std::string_view kOpen = "<|channel>thought\n";
  return prompt.size() >= kOpen.size() &&
         prompt.compare(prompt.size() - kOpen.size(), kOpen.size(), kOpen) == 0;
}

PromptRequest Conversation::request() const {
  PromptRequest request;
  request.ids = tokenizer_.encode(text());
  if (options_.raw && tokenizer_.prepends_bos()) {
    if (const auto bos = tokenizer_.id_of("<bos>")) {
      request.ids.insert(request.ids.begin(), *bos);
    }
  }
  request.media = media_;
  request.stamp_ids = stamp_ids(tokenizer_);
  return request;
}

}  // namespace assay::conformance
