// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/call_grammar.h"

#include <algorithm>

#include "reference/family/base/error.h"
#include "reference/family/chat/call_words.h"
#include "reference/family/chat/text_case.h"
#include "reference/family/tokenizer/utf8.h"

namespace assay {
namespace {

constexpr std::size_t kMaxNesting = 64;

// Thrown inside this file only: this reading does not hold.
struct NoReading {
  std::string why;
};

class CallReader {
 public:
  CallReader(std::string_view body, RepairSet allowed, const IsString& is_string)
      : text_(body), allowed_(allowed), is_string_(is_string) {}

  CallReading read() {
    CallReading reading;
    reading.name = read_name();
    name_ = reading.name;
    round_ = peek() == '(' && use(Repair::kParentheses);
    expect(round_ ? '(' : '{');
    find_last_value();
    reading.arguments = Json(read_pairs(round_ ? ')' : '}', 1));
    skip_space();
    if (at_ < text_.size() && !use(Repair::kTrailingJunk)) {
      fail("text after the arguments");
    }
    reading.used = used_;
    return reading;
  }

 private:
  bool allows(Repair repair) const { return allowed_.test(static_cast<std::size_t>(repair)); }
  bool use(Repair repair) {
    if (allows(repair)) {
      used_.set(static_cast<std::size_t>(repair));
      return true;
    }
    return false;
  }

  [[noreturn]] void fail(const std::string& got) const {
    throw NoReading{"got " + got + " at byte " + std::to_string(at_)};
  }

  // The character here, in quotes.
  std::string here() const {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(text_, at_));
    return "'" + printable(with_literals(text_.substr(at_, length))) + "'";
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_end() const { return at_ >= text_.size(); }
  void skip_space() {
    while (!at_end() && (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r')) {
      ++at_;
    }
  }
  void expect(char c) {
    skip_space();
    if (peek() != c || at_end()) {
      fail(at_end() ? "the end" : here() + " instead of '" + c + "'");
    }
    ++at_;
  }

  std::string read_name() {
    skip_space();
    constexpr std::string_view kCall = "call:";
    if (text_.substr(at_, kCall.size()) == kCall) {
      at_ += kCall.size();
    } else if (use(Repair::kMissingCall)) {
      at_ += peek() == ':' ? 1 : 0;
    } else {
      fail("no 'call:'");
    }
    skip_space();
    const std::size_t first = at_;
    while (!at_end() && is_name_character(peek())) {
      ++at_;
    }
    if (at_ == first) {
      fail("no name");
    }
    std::string name(text_.substr(first, at_ - first));
    skip_space();
    return name;
  }

  // KEY ":" value pairs up to and with `close`.
  Json::Object read_pairs(char close, std::size_t depth) {
    check_depth(depth);
    Json::Object pairs;
    skip_space();
    if (!at_end() && peek() == close) {
      ++at_;
      return pairs;
    }
    while (true) {
      std::string key = read_key();
      Json value = read_argument(key, depth);
      pairs.emplace_back(std::move(key), std::move(value));
      if (!another(close)) {
        return without_repeats(std::move(pairs));
      }
    }
  }

  // After a value: whether one more follows, the closing bracket being taken otherwise.
  bool another(char close) {
    skip_space();
    if (at_end()) {
      if (close != ']' && use(Repair::kMissingBrace)) {
        return false;
      }
      fail("the end");
    }
    if (peek() == ',') {
      ++at_;
      return true;
    }
    if (peek() == close) {
      ++at_;
      return false;
    }
    if (use(Repair::kMissingComma)) {
      return true;
    }
    fail(here() + " after a value");
  }

  std::string read_key() {
    skip_space();
    if (peek() == kDelimiterByte) {
      std::string key = read_delimited();
      expect_colon();
      used_.set(static_cast<std::size_t>(Repair::kDelimitedKey));
      return key;
    }
    const std::string_view stops = allows(Repair::kEquals) ? ":,{}=\xFF" : ":,{}\xFF";
    const std::size_t end = std::min(text_.find_first_of(stops, at_), text_.size());
    const std::string_view key = trim(text_.substr(at_, end - at_));
    at_ = end;
    if (key.empty()) {
      fail("no key");
    }
    expect_colon();
    if (!is_quoted(key)) {
      return std::string(key);
    }
    if (!use(Repair::kOtherQuotes)) {
      fail("a key in quotes");
    }
    return std::string(key.substr(1, key.size() - 2));
  }

  void expect_colon() {
    skip_space();
    if (peek() == '=' && use(Repair::kEquals)) {
      ++at_;
      return;
    }
    expect(':');
  }

  // Where the value of the last key begins that the tool declares, at the earliest; and the last
  // bracket, up to which a raw value goes.
  void find_last_value() {
    if (!allows(Repair::kRawLastValue) || !is_string_) {
      return;
    }
    last_bracket_ = text_.rfind(round_ ? ')' : '}');
    last_value_ = at_;
    for (std::size_t at = text_.find(',', at_); at < text_.size(); at = text_.find(',', at + 1)) {
      const std::size_t end = text_.find_first_of(":,", at + 1);
      if (end < text_.size() && text_[end] == ':' &&
          is_string_(name_, trim(text_.substr(at + 1, end - at - 1)))) {
        last_value_ = end + 1;
      }
    }
  }

  // The last argument of the call may be raw text where the tool says that it is a string.
  Json read_argument(const std::string& key, std::size_t depth) {
    skip_space();
    if (depth != 1 || last_bracket_ == std::string_view::npos || last_bracket_ < at_ ||
        at_ < last_value_ || peek() == kDelimiterByte || !is_string_(name_, key).value_or(false)) {
      return read_value(depth);
    }
    use(Repair::kRawLastValue);
    const std::string_view raw = trim(text_.substr(at_, last_bracket_ - at_));
    at_ = last_bracket_;
    return Json(with_literals(raw));
  }

  void check_depth(std::size_t depth) const {
    if (depth > kMaxNesting) {
      fail("more than " + std::to_string(kMaxNesting) + " levels");
    }
  }

  Json read_value(std::size_t depth) {
    skip_space();
    if (at_end()) {
      fail("the end");
    }
    switch (peek()) {
      case kDelimiterByte:
        return Json(read_delimited());
      case '{':
        ++at_;
        return Json(read_pairs('}', depth + 1));
      case '[':
        ++at_;
        return Json(read_list(depth + 1));
      case '"':
      case '\'':
      case '`':
        if (allows(Repair::kOtherQuotes)) {
          return Json(read_quoted());
        }
        break;
      default:
        break;
    }
    return read_word();
  }

  Json::Array read_list(std::size_t depth) {
    check_depth(depth);
    Json::Array list;
    skip_space();
    if (peek() == ']' && !at_end()) {
      ++at_;
      return list;
    }
    do {
      list.push_back(read_value(depth));
    } while (another(']'));
    return list;
  }

  std::string read_delimited() {
    const std::size_t first = ++at_;
    const std::size_t end = text_.find(kDelimiterByte, first);
    if (end != std::string_view::npos && (!allows(Repair::kOneDelimiter) || ends_value(end + 1))) {
      at_ = end + 1;
      return std::string(text_.substr(first, end - first));
    }
    if (!use(Repair::kOneDelimiter)) {
      fail("a string without its end");
    }
    at_ = std::min(text_.find_first_of(",}]\xFF", first), text_.size());
    return std::string(trim(text_.substr(first, at_ - first)));
  }

  // Whether what stands at `at` may stand after a value or a key.
  bool ends_value(std::size_t at) const {
    const std::size_t next = text_.find_first_not_of(" \n\t\r", at);
    return next == std::string_view::npos ||
           std::string_view(",}])").find(text_[next]) != std::string_view::npos ||
           text_[next] == ':' || text_[next] == '=';
  }

  // A backslash before the closing quote belongs to it; nothing else is unescaped.
  std::string read_quoted() {
    const char quote = peek();
    use(Repair::kOtherQuotes);
    std::string text;
    for (++at_; !at_end() && peek() != quote; ++at_) {
      if (peek() == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
        ++at_;
      }
      text += peek();
    }
    if (at_end()) {
      fail("a string without its end");
    }
    ++at_;
    return with_literals(text);
  }

  // Numbers and words, up to the next punctuation.
  Json read_word() {
    std::string stops = round_ ? ",{}[]()\xFF" : ",{}[]\xFF";
    stops += allows(Repair::kMissingComma) ? " \n\t" : "";
    const std::size_t end = std::min(text_.find_first_of(stops, at_), text_.size());
    const std::string_view word = trim(text_.substr(at_, end - at_));
    if (word.empty()) {
      fail("no value");
    }
    if (end < text_.size() && text_[end] == kDelimiterByte && use(Repair::kOneDelimiter)) {
      at_ = end + 1;
      return Json(std::string(word));
    }
    at_ = static_cast<std::size_t>(word.data() - text_.data()) + word.size();
    if (word == "true" || word == "false") {
      return Json(word == "true");
    }
    if (word == "null") {
      return Json();
    }
    return is_number(word) ? number_value(word) : read_odd_word(word);
  }

  Json read_odd_word(std::string_view word) {
    const std::string lower = word.size() <= 4 ? to_lower(word) : "";
    const bool null = lower == "nil" || lower == "none" || lower == "null";
    if (null && use(Repair::kNullWord)) {
      return {};
    }
    const bool plain = !null && word.find_first_of("\"'`") != 0 && !holds_a_pair(word);
    if (!plain || !use(Repair::kBareWord)) {
      fail("the word '" + printable(word) + "'");
    }
    return Json(std::string(word));
  }

  std::string_view text_;
  RepairSet allowed_;
  const IsString& is_string_;
  RepairSet used_;
  std::string name_;
  bool round_ = false;  // parentheses for braces
  std::size_t last_value_ = 0;
  std::size_t last_bracket_ = std::string_view::npos;  // no raw value
  std::size_t at_ = 0;
};

}  // namespace

const char* repair_name(Repair repair) {
  constexpr std::array<const char*, kRepairs> kNames = {"other quotes",
                                                        "nil or none as null",
                                                        "= for :",
                                                        "missing comma",
                                                        "missing closing brace",
                                                        "text after the arguments",
                                                        "missing word call",
                                                        "parentheses for braces",
                                                        "one string delimiter missing",
                                                        "raw text as last string",
                                                        "bare word as string",
                                                        "key in string delimiters"};
  return kNames[static_cast<std::size_t>(repair)];
}

std::optional<CallReading> read_call(std::string_view body, RepairSet allowed,
                                     const IsString& is_string, std::string& error) {
  try {
    return CallReader(body, allowed, is_string).read();
  } catch (const NoReading& none) {
    error = none.why;
    return std::nullopt;
  }
}

}  // namespace assay
