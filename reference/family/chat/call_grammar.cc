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
  CallReader(std::string_view body, const CallRules& rules, RepairSet& asked)
      : text_(body), rules_(rules), asked_(asked) {}

  CallReading read() {
    CallReading reading;
    reading.name = read_name();
    arguments_ = argument_schemas(rules_.tools, reading.name);
    skip_space();
    round_ = peek() == '(' && use(Repair::kParentheses);
    expect(round_ ? '(' : '{');
    find_last_value();
    reading.arguments = Json(read_pairs(round_ ? ')' : '}', 1, arguments_));
    skip_space();
    if (at_ < text_.size() && !use(Repair::kTrailingJunk)) {
      fail("text after the arguments");
    }
    reading.used = used_;
    return reading;
  }

 private:
  bool allows(Repair repair) const {
    asked_.set(static_cast<std::size_t>(repair));
    return rules_.allowed.test(static_cast<std::size_t>(repair));
  }
  void tell(Repair repair) { used_.set(static_cast<std::size_t>(repair)); }
  bool use(Repair repair) {
    if (allows(repair)) {
      tell(repair);
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
    if (text_.substr(at_, kCall.size()) == kCall) {
      at_ += kCall.size();
    } else if (use(Repair::kMissingCall)) {
      at_ = std::min(text_.find_first_not_of(kOpeners, at_), text_.size());
    } else {
      fail("no 'call:'");
    }
    const std::string_view after = allows(Repair::kParentheses) ? "{(" : "{";
    std::string_view name = declared_prefix(text_.substr(at_), rules_.tools, after);
    if (name.empty()) {
      skip_space();
      name = declared_prefix(text_.substr(at_), rules_.tools, after);
    }
    if (name.empty()) {
      name = undeclared_name();
    }
    at_ += name.size();
    return std::string(name);
  }

  std::string_view undeclared_name() {
    const std::string_view rest = text_.substr(at_);
    const std::size_t plain = name_length(rest);
    if (allows(Repair::kOddName)) {
      const std::string_view odd = without_space(rest.substr(0, rest.find_first_of("{\n\r\xFF")));
      if (odd.size() > plain) {
        tell(Repair::kOddName);
        return odd;
      }
    }
    if (plain == 0) {
      fail("no name");
    }
    return rest.substr(0, plain);
  }

  // KEY ":" value pairs up to and with `close`.
  Json::Object read_pairs(char close, std::size_t depth, const Schemas& schemas) {
    check_depth(depth);
    Json::Object pairs;
    bool repeated = false;
    for (bool more = !closes(close, schemas); more; more = another(close)) {
      if (!pairs.empty() && ends_after_comma(close)) {
        break;
      }
      std::string key = read_key(schemas);
      Json value = read_argument(depth, member_schemas(schemas, key));
      pairs.emplace_back(std::move(key), std::move(value));
    }
    pairs = without_repeats(std::move(pairs), repeated);
    if (repeated) {
      tell(Repair::kRepeatedKey);
    }
    return pairs;
  }

  // Whether there are no pairs at all. A declared key may begin with the bracket.
  bool closes(char close, const Schemas& schemas) {
    if (declared_key(schemas)) {
      return false;
    }
    skip_space();
    if (peek() != close || at_end()) {
      return false;
    }
    ++at_;
    return true;
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
      return !ends_after_comma(close);
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

  bool ends_after_comma(char close) {
    const std::size_t next = std::min(text_.find_first_not_of(kSpace, at_), text_.size());
    const bool closed = next < text_.size() && text_[next] == close;
    const bool broken = next == text_.size() && close != ']' && allows(Repair::kMissingBrace);
    if (!(closed || broken) || !use(Repair::kTrailingComma)) {
      return false;
    }
    at_ = next + (closed ? 1 : 0);
    return closed || use(Repair::kMissingBrace);
  }

  std::string read_key(const Schemas& schemas) {
    if (const auto declared = declared_key(schemas)) {
      return take_key(*declared);
    }
    skip_space();
    if (const auto declared = declared_key(schemas)) {
      return take_key(*declared);
    }
    if (peek() == kDelimiterByte) {
      std::string key = read_delimited();
      expect_colon();
      tell(Repair::kDelimitedKey);
      return key;
    }
    const std::string_view odd = allows(Repair::kOddKey) ? odd_key() : "";
    if (odd.empty() || is_plain_key(odd)) {
      return read_plain_key();
    }
    tell(Repair::kOddKey);
    return take_key(odd);
  }

  std::string read_plain_key() {
    const std::string_view stops = allows(Repair::kEquals) ? ":,{}=\xFF" : ":,{}\xFF";
    const std::size_t end = std::min(text_.find_first_of(stops, at_), text_.size());
    const std::string_view key = without_space(text_.substr(at_, end - at_));
    at_ = end;
    if (key.empty() && !(peek() == ':' && use(Repair::kEmptyKey))) {
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

  std::string take_key(std::string_view key) {
    at_ += key.size();
    expect_colon();
    return std::string(key);
  }

  // The longest declared key here that the grammar of keys would cut.
  std::optional<std::string_view> declared_key(const Schemas& schemas) const {
    std::optional<std::string_view> longest;
    for (const std::string_view key : declared_keys(schemas)) {
      if (is_plain_key(key) || !text_.substr(at_).starts_with(key) ||
          (longest && key.size() <= longest->size())) {
        continue;
      }
      const std::size_t next = text_.find_first_not_of(kSpace, at_ + key.size());
      if (next != std::string_view::npos && text_[next] == ':') {
        longest = key;
      }
    }
    return longest;
  }

  // Up to the first colon after which a value of the strict grammar begins; empty: there is none.
  std::string_view odd_key() const {
    constexpr std::string_view kStops = ":\xFF";
    for (std::size_t at = text_.find_first_of(kStops, at_); at < text_.size() && text_[at] == ':';
         at = text_.find_first_of(kStops, at + 1)) {
      if (begins_value(at + 1)) {
        return without_space(text_.substr(at_, at - at_));
      }
    }
    return {};
  }

  bool begins_value(std::size_t at) const {
    const std::size_t first = std::min(text_.find_first_not_of(kSpace, at), text_.size());
    if (first == text_.size()) {
      return false;
    }
    if (std::string_view("[{\xFF").find(text_[first]) != std::string_view::npos) {
      return true;
    }
    const std::size_t end = std::min(text_.find_first_of(":,{}[]\xFF", first), text_.size());
    const std::string_view word = without_space(text_.substr(first, end - first));
    const bool ends = end < text_.size() && (text_[end] == ',' || text_[end] == '}');
    return ends && (word == "true" || word == "false" || word == "null" || is_number(word));
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
    if (!allows(Repair::kRawLastValue) || arguments_.empty()) {
      return;
    }
    last_bracket_ = text_.rfind(round_ ? ')' : '}');
    last_value_ = at_;
    for (std::size_t at = text_.find(',', at_); at < text_.size(); at = text_.find(',', at + 1)) {
      const std::size_t end = text_.find_first_of(":,", at + 1);
      if (end < text_.size() && text_[end] == ':' &&
          !member_schemas(arguments_, without_space(text_.substr(at + 1, end - at - 1))).empty()) {
        last_value_ = end + 1;
      }
    }
  }

  // The last argument of the call may be raw text where the tool says that it is a string.
  Json read_argument(std::size_t depth, const Schemas& schemas) {
    skip_space();
    if (depth != 1 || last_bracket_ == std::string_view::npos || last_bracket_ < at_ ||
        at_ < last_value_ || peek() == kDelimiterByte || !declared_types(schemas).strings_only()) {
      return read_value(depth, schemas);
    }
    tell(Repair::kRawLastValue);
    const std::string raw = with_literals(text_.substr(at_, last_bracket_ - at_));
    at_ = last_bracket_;
    return Json(std::string(trim(raw)));
  }

  void check_depth(std::size_t depth) const {
    if (depth > kMaxNesting) {
      fail("more than " + std::to_string(kMaxNesting) + " levels");
    }
  }

  Json read_value(std::size_t depth, const Schemas& schemas) {
    skip_space();
    if (at_end()) {
      fail("the end");
    }
    switch (peek()) {
      case kDelimiterByte:
        return Json(read_delimited());
      case '{':
        ++at_;
        return Json(read_pairs('}', depth + 1, schemas));
      case '[':
        ++at_;
        return Json(read_list(depth + 1, item_schemas(schemas)));
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
    return read_word(schemas);
  }

  Json::Array read_list(std::size_t depth, const Schemas& schemas) {
    check_depth(depth);
    Json::Array list;
    skip_space();
    if (peek() == ']' && !at_end()) {
      ++at_;
      return list;
    }
    do {
      list.push_back(read_value(depth, schemas));
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
  Json read_word(const Schemas& schemas) {
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
    if (word == "null") {
      return Json();
    }
    const DeclaredTypes types = declared_types(schemas);
    if (word == "true" || word == "false") {
      if (!(rules_.convert && types.strings_only())) {
        return Json(word == "true");
      }
      tell(Repair::kBareWord);
      return Json(std::string(word));
    }
    return is_number(word) ? number(word, types) : read_odd_word(word, types);
  }

  Json number(std::string_view word, const DeclaredTypes& types) {
    if (rules_.convert && types.strings_only()) {
      tell(Repair::kNumberAsText);
      return Json(std::string(word));
    }
    NumberReading reading = read_number(word, types);
    if (reading.form != NumberForm::kAsWritten) {
      tell(reading.form == NumberForm::kText ? Repair::kNumberAsText : Repair::kNumberRespelled);
    }
    return std::move(reading.value);
  }

  // A word of another language, or a string that has no delimiters.
  Json read_odd_word(std::string_view word, const DeclaredTypes& types) {
    const std::string lower = word.size() <= 5 ? to_lower(word) : "";
    const bool null = lower == "nil" || lower == "none" || lower == "null";
    if (null && use(Repair::kNullWord)) {
      return {};
    }
    const bool boolean = (lower == "true" || lower == "false") && !types.strings_only();
    if (boolean && use(Repair::kBooleanWord)) {
      return Json(lower == "true");
    }
    const bool plain = !null && !boolean && word.find_first_of("\"'`") != 0 && !holds_a_pair(word);
    if (!plain || !use(Repair::kBareWord)) {
      fail("the word '" + printable(word) + "'");
    }
    return Json(std::string(word));
  }

  std::string_view text_;
  const CallRules& rules_;
  RepairSet& asked_;
  RepairSet used_;
  Schemas arguments_;   // what their tool says of them
  bool round_ = false;  // parentheses for braces
  std::size_t last_value_ = 0;
  std::size_t last_bracket_ = std::string_view::npos;  // no raw value
  std::size_t at_ = 0;
};

}  // namespace

std::optional<CallReading> read_call(std::string_view body, const CallRules& rules,
                                     std::string& error, RepairSet& asked) {
  try {
    return CallReader(body, rules, asked).read();
  } catch (const NoReading& none) {
    error = none.why;
    return std::nullopt;
  }
}

}  // namespace assay
