// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/answer_reader.h"

#include <algorithm>
#include <utility>

#include "reference/family/tokenizer/utf8.h"

namespace assay {
namespace {

void append(std::vector<AnswerEvent>& events, std::vector<AnswerEvent> more) {
  std::move(more.begin(), more.end(), std::back_inserter(events));
}

// The control literal at the start of a text; empty when there is none.
std::string_view literal_at(std::string_view text) {
  for (const std::string& literal : control_literals()) {
    if (text.starts_with(literal)) {
      return literal;
    }
  }
  return {};
}

bool begins_literal(std::string_view text) {
  return std::ranges::any_of(control_literals(),
                             [text](const std::string& l) { return l.starts_with(text); });
}

// Bytes at the end of a text that may be the beginning of a character.
std::size_t unfinished_bytes(std::string_view text) {
  constexpr std::size_t kLongest = 3;
  for (std::size_t back = 1; back <= std::min(kLongest, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte >= 0xC0) {
      const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
      return back < length ? back : 0;
    }
    if (byte < 0x80) {
      return 0;
    }
  }
  return 0;
}

}  // namespace

std::vector<AnswerEvent> AnswerReader::push(std::int32_t id) {
  if (!tokenizer_->is_control(id)) {
    return parser_.push(TokenRole::kText, decoder_.push(id));
  }
  auto events = parser_.push(TokenRole::kText, decoder_.finish());  // an unfinished run of bytes
  const std::string& literal = tokenizer_->token(id);
  append(events, parser_.push(role_of_literal(literal), literal));
  return events;
}

std::vector<AnswerEvent> AnswerReader::finish() {
  auto events = parser_.push(TokenRole::kText, decoder_.finish());
  append(events, parser_.finish());
  return events;
}

std::vector<AnswerEvent> AnswerTextReader::push(std::string_view text) {
  held_ += text;
  std::vector<AnswerEvent> events;
  read(false, events);
  return events;
}

std::vector<AnswerEvent> AnswerTextReader::finish() {
  std::vector<AnswerEvent> events;
  read(true, events);
  append(events, parser_.finish());
  return events;
}

void AnswerTextReader::pass(TokenRole role, std::string_view text,
                            std::vector<AnswerEvent>& events) {
  if (!text.empty()) {
    check_utf8(text, "text");
    append(events, parser_.push(role, text));
  }
}

// Passes on what is held but for an end that may grow into a literal or a character.
void AnswerTextReader::read(bool last, std::vector<AnswerEvent>& events) {
  const std::string text = std::exchange(held_, {});
  const std::string_view all = text;
  std::size_t plain = 0;  // begin of the text that is not passed on yet
  std::size_t at = 0;
  while ((at = all.find('<', at)) != std::string_view::npos) {
    const std::string_view rest = all.substr(at);
    if (const std::string_view literal = literal_at(rest); !literal.empty()) {
      pass(TokenRole::kText, all.substr(plain, at - plain), events);
      pass(role_of_literal(literal), literal, events);
      at += literal.size();
      plain = at;
    } else if (!last && begins_literal(rest)) {
      break;
    } else {
      ++at;
    }
  }
  std::size_t end = std::min(at, all.size());
  if (!last && end == all.size()) {
    end -= unfinished_bytes(all.substr(plain));
  }
  pass(TokenRole::kText, all.substr(plain, end - plain), events);
  held_ = all.substr(end);
}

Answer parse_answer(const Tokenizer& tokenizer, std::span<const std::int32_t> ids,
                    const AnswerOptions& options) {
  AnswerReader reader(tokenizer, options);
  for (const std::int32_t id : ids) {
    reader.push(id);
  }
  reader.finish();
  return reader.answer();
}

Answer parse_answer_text(std::string_view text, const AnswerOptions& options) {
  AnswerTextReader reader(options);
  reader.push(text);
  reader.finish();
  return reader.answer();
}

}  // namespace assay
