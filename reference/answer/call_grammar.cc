// SPDX-License-Identifier: Apache-2.0
#include "reference/answer/call_grammar.h"

#include <algorithm>

#include "reference/answer/call_words.h"
#include "reference/answer/tool_call.h"
#include "reference/core/error.h"
#include "reference/prompt/text_case.h"

namespace assay {
namespace {

constexpr std::size_t kMaxNesting = 64;
constexpr std::string_view kPunctuation = ":,{}[]()=";

// Thrown inside this file only: this reading does not hold.
struct NoReading {
  std::string why;
};

class CallReader {
 public:
  CallReader(std::string_view body, RepairSet allowed, const IsString& is_string)
      : text_(body),
        last_brace_(body.rfind('}')),
        last_parenthesis_(body.rfind(')')),
        allowed_(allowed),
        is_string_(is_string) {}

  CallReading read() {
    CallReading reading;
    reading.name = read_name();
    name_ = reading.name;
    const bool round = peek() == '(' && use(Repair::kParentheses);
    expect(round ? '(' : '{');
    reading.arguments = Value(read_pairs(round ? ')' : '}', 1));
    skip_space();
    if (at_ < text_.size() && !use(Repair::kTrailingJunk)) {
      fail("text behind the arguments");
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
      fail(at_end() ? "the end" : std::string("'") + peek() + "' instead of '" + c + "'");
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
    const std::string name(text_.substr(first, at_ - first));
    skip_space();
    return name;
  }

  // KEY ":" value pairs up to and with `close`.
  Value::Mapping read_pairs(char close, std::size_t depth) {
    check_depth(depth);
    Value::Mapping pairs;
    skip_space();
    if (!at_end() && peek() == close) {
      ++at_;
      return pairs;
    }
    while (true) {
      std::string key = read_key();
      Value value = read_argument(key, close, depth);
      pairs.emplace_back(std::move(key), std::move(value));
      if (!another(close)) {
        return pairs;
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
    fail(std::string("'") + peek() + "' behind a value");
  }

  std::string read_key() {
    skip_space();
    if (peek() == kDelimiterByte) {
      std::string key = read_delimited();
      expect_colon();
      return key;
    }
    const std::size_t first = at_;
    while (!at_end() && kPunctuation.substr(0, 4).find(peek()) == std::string_view::npos &&
           !(peek() == '=' && allows(Repair::kEquals)) && peek() != kDelimiterByte) {
      ++at_;
    }
    const std::string key(trim(text_.substr(first, at_ - first)));
    if (key.empty()) {
      fail("no key");
    }
    expect_colon();
    return unquoted_key(key);
  }

  // A key in quotes is a key all the same, when other quotes are allowed.
  std::string unquoted_key(const std::string& key) {
    const bool quoted = key.size() >= 2 && key.front() == key.back() &&
                        (key.front() == '"' || key.front() == '\'' || key.front() == '`');
    return quoted && use(Repair::kOtherQuotes) ? key.substr(1, key.size() - 2) : key;
  }

  void expect_colon() {
    skip_space();
    if (peek() == '=' && use(Repair::kEquals)) {
      ++at_;
      return;
    }
    expect(':');
  }

  // An argument of the call itself may be raw text where the tool says that it is a string.
  Value read_argument(const std::string& key, char close, std::size_t depth) {
    const std::size_t last = close == ')' ? last_parenthesis_ : last_brace_;
    if (depth == 1 && allows(Repair::kRawLastValue) && is_string_ && peek() != kDelimiterByte &&
        last != std::string_view::npos && last >= at_ && is_string_(name_, key)) {
      used_.set(static_cast<std::size_t>(Repair::kRawLastValue));
      std::string raw(trim(text_.substr(at_, last - at_)));
      at_ = last;
      return Value(std::move(raw));
    }
    return read_value(depth);
  }

  void check_depth(std::size_t depth) const {
    if (depth > kMaxNesting) {
      fail("more than " + std::to_string(kMaxNesting) + " levels");
    }
  }

  Value read_value(std::size_t depth) {
    skip_space();
    if (at_end()) {
      fail("the end");
    }
    switch (peek()) {
      case kDelimiterByte:
        return Value(read_delimited());
      case '{':
        ++at_;
        return Value(read_pairs('}', depth + 1));
      case '[':
        ++at_;
        return Value(read_list(depth + 1));
      case '"':
      case '\'':
      case '`':
        if (allows(Repair::kOtherQuotes)) {
          return Value(read_quoted());
        }
        break;
      default:
        break;
    }
    return read_word();
  }

  Value::List read_list(std::size_t depth) {
    check_depth(depth);
    Value::List list;
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
    ++at_;
    const std::size_t end = text_.find(kDelimiterByte, at_);
    if (end != std::string_view::npos) {
      std::string text(text_.substr(at_, end - at_));
      at_ = end + 1;
      return text;
    }
    if (!use(Repair::kOneDelimiter)) {
      fail("a string without its end");
    }
    return read_until(",}]");
  }

  std::string read_until(std::string_view stops) {
    const std::size_t end = std::min(text_.find_first_of(stops, at_), text_.size());
    std::string text(trim(text_.substr(at_, end - at_)));
    at_ = end;
    return text;
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
    return text;
  }

  // Numbers and words, up to the next punctuation.
  Value read_word() {
    const bool by_space = allows(Repair::kMissingComma);
    const char* stops = by_space ? ",{}[]()\xFF \n\t" : ",{}[]()\xFF";
    const std::size_t end = std::min(text_.find_first_of(stops, at_), text_.size());
    const std::string_view word = trim(text_.substr(at_, end - at_));
    if (word.empty()) {
      fail("no value");
    }
    at_ = static_cast<std::size_t>(word.data() - text_.data()) + word.size();
    if (word == "true" || word == "false") {
      return Value(word == "true");
    }
    if (word == "null") {
      return Value();
    }
    if (is_number(word)) {
      return number_value(word);
    }
    return read_odd_word(word);
  }

  Value read_odd_word(std::string_view word) {
    const std::string lower = to_lower(word);
    if ((lower == "nil" || lower == "none") && use(Repair::kNullWord)) {
      return {};
    }
    if (peek() == kDelimiterByte && use(Repair::kOneDelimiter)) {
      ++at_;
      return Value(std::string(word));
    }
    if (!use(Repair::kBareWord)) {
      fail("the word '" + printable(word) + "'");
    }
    return Value(std::string(word));
  }

  std::string_view text_;
  std::size_t last_brace_;
  std::size_t last_parenthesis_;
  RepairSet allowed_;
  const IsString& is_string_;
  RepairSet used_;
  std::string name_;
  std::size_t at_ = 0;
};

}  // namespace

const char* repair_name(Repair repair) {
  constexpr std::array<const char*, kRepairs> kNames = {"bare word as string",
                                                        "other quotes",
                                                        "nil or none as null",
                                                        "= for :",
                                                        "missing comma",
                                                        "missing closing brace",
                                                        "text behind the arguments",
                                                        "missing word call",
                                                        "parentheses for braces",
                                                        "one string delimiter missing",
                                                        "raw text as last string"};
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
