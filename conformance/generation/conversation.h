// SPDX-License-Identifier: Apache-2.0
// Messages, tools and media of a conversation, and the prompt they make.
//
// The history is kept as the template wants it (spec prompting 2.2, 2.3): of an answer the thought,
// the content and the calls that can be read, each call under an id of its own (call_1, call_2, …);
// a tool's result stands in the message that called. The template itself drops thoughts of earlier
// turns. Text in front of a call becomes a message of its own in the same model turn, because the
// template writes the content of a message after its calls.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "conformance/interface/session.h"
#include "reference/family/base/json.h"
#include "reference/family/chat/answer.h"
#include "reference/family/chat/chat_template.h"
#include "reference/family/tokenizer/tokenizer.h"

namespace assay::conformance {

struct ConversationOptions {
  std::string system;               // the system message
  std::string tools;                // a JSON file: a list of tools
  std::vector<std::string> images;  // files, as the two below
  std::vector<std::string> clips;
  std::vector<std::string> videos;
  std::size_t budget = 0;      // soft tokens of an image or frame; 0: the checkpoint's
  std::size_t num_frames = 0;  // of a video; 0: the checkpoint's
  double frame_rate = 0;       // of a video, frames a second instead; 0: by number
  bool think = false;
  bool raw = false;  // the newest user message is the prompt as it is, without the template
};

class Conversation {
 public:
  // Reads the tools and the media files. Throws Error for a file that cannot be read.
  Conversation(const ConversationOptions& options, const Tokenizer& tokenizer,
               TemplateVariant variant);

  // The first user message carries the media, before its text.
  void add_user(const std::string& text);
  // Gives the ids of the calls, in order; "" for one that is not kept: broken off, or nameless. A
  // call that cannot be read is kept by its name, without arguments, so that a result can say so.
  std::vector<std::string> add_answer(const Answer& answer);
  // The result of a tool for the first call of that name, or that id, which has none yet. Throws
  // Error where there is no such call.
  void add_result(const std::string& tool, Json result);
  // A message as the template takes it: {"role": "user", "content": "Hi"}. A tool's goes to its
  // call. Throws Error for what is no message.
  void add_message(const Json& message);

  // The calls that wait for a result, by name.
  std::vector<std::string> unanswered() const;
  // Whether it is the model's turn: after a user's message, and after the last result.
  bool awaits_answer() const;

  // The rendered prompt with one placeholder an item.
  std::string text() const;
  PromptRequest request() const;

  const Json& tools() const { return tools_; }
  bool opens_thought() const;  // the prompt ends inside a thought

 private:
  struct Call {
    std::string id;
    std::string name;
    std::optional<Json> result;
  };

  Json first_content(const std::string& text) const;
  void open_calls(const Json& message);

  const ConversationOptions& options_;
  const Tokenizer& tokenizer_;
  TemplateVariant variant_;
  Json tools_;
  std::vector<MediaItem> media_;
  Json::Array messages_;
  std::vector<Call> calls_;      // of the last message
  std::size_t count_calls_ = 0;  // of the conversation, for their ids
  std::string newest_;           // user message
  bool has_user_ = false;
};

}  // namespace assay::conformance
