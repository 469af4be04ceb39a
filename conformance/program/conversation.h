// SPDX-License-Identifier: Apache-2.0
// Messages, tools and media of a conversation, and the prompt they make.
#pragma once

#include <string>
#include <vector>

#include "conformance/interface/session.h"
#include "conformance/program/run_options.h"
#include "reference/family/chat/chat_template.h"
#include "reference/family/tokenizer/tokenizer.h"

namespace assay::program {

class Conversation {
 public:
  // Reads the tools and checks that the media files can be opened.
  Conversation(const RunOptions& options, const Tokenizer& tokenizer, TemplateVariant variant);

  // The first user message carries the media, before its text.
  void add_user(const std::string& text);
  void add_answer(const std::string& content);

  // The rendered prompt with one placeholder an item.
  std::string text() const;
  conformance::PromptRequest request() const;

  const Value& tools() const { return tools_; }
  bool opens_thought() const;  // the prompt ends inside a thought

 private:
  Value first_content(const std::string& text) const;

  const RunOptions& options_;
  const Tokenizer& tokenizer_;
  TemplateVariant variant_;
  Value tools_;
  std::vector<conformance::MediaItem> media_;
  Value::List messages_;
  bool has_user_ = false;
};

}  // namespace assay::program
