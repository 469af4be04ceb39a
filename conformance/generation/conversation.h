// SPDX-License-Identifier: Apache-2.0
// Messages, tools and media of a conversation, and the prompt they make.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "conformance/interface/session.h"
#include "reference/family/base/json.h"
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
  void add_answer(const std::string& content);

  // The rendered prompt with one placeholder an item.
  std::string text() const;
  PromptRequest request() const;

  const Json& tools() const { return tools_; }
  bool opens_thought() const;  // the prompt ends inside a thought

 private:
  Json first_content(const std::string& text) const;

  const ConversationOptions& options_;
  const Tokenizer& tokenizer_;
  TemplateVariant variant_;
  Json tools_;
  std::vector<MediaItem> media_;
  Json::Array messages_;
  std::string newest_;  // user message
  bool has_user_ = false;
};

}  // namespace assay::conformance
