// SPDX-License-Identifier: Apache-2.0
// Throws token streams at the parser of answers: answer_fuzz [ROUNDS [SEED]]
//
// A round takes a turn as a model would write it, damages it, or draws one from control tokens,
// punctuation, bytes and pieces. No exception may leave the parser, the events must add up to the
// answer, every text in it must be UTF-8, and text cut anywhere must read as the whole. Afterwards
// bodies made to be slow are read at two lengths: twice the length may take six times as long at
// most, which a quadratic reader misses by far when the machine is quiet.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <random>
#include <string>
#include <vector>

#include "reference/family/chat/answer_reader.h"
#include "reference/family/testing/test_streams.h"
#include "reference/family/testing/test_vocabulary.h"

namespace assay {
namespace {

constexpr std::size_t kLongest = 48;  // tokens of a drawn turn
constexpr std::size_t kBody = 100000;
constexpr double kAllowedGrowth = 6;
constexpr double kClockNoise = 0.02;  // seconds

const std::vector<std::string>& templates() {
  static const std::vector<std::string> all = {
      "<|channel>thought\nplan\n<channel|>\nHello world<turn|>",
      "<|tool_call>call:get_weather{location:<|\"|>Paris<|\"|>}<tool_call|><|tool_response>",
      "<|tool_call>call:f{a:[1,-2.5e3,{k:<|\"|>v<|\"|>}],b:null,c:true}<tool_call|>ok<turn|>",
      "<|tool_call>call:f{a:'x' b=\"y\",c:nil<tool_call|><|tool_call>f(x: 1)<tool_call|>",
      "a<|tool_call>call:note{text:well, it is: {so}}<tool_call|>b<eos>",
      "é 😀<|channel>tho",
      "<|tool_call>call:f{<|\"|>k<|\"|>:<|\"|>v}<tool_call|></s><unused0>"};
  return all;
}

const Json& tools() {
  static const Json declared = parse_json(
      R"([{"function": {"name": "note", "parameters": {"properties": {"text": {"type": "string"}}}}},
          {"function": {"name": "f", "parameters": {"properties": {"a": {"type": "string"},
           "b": {"type": "integer"}}}}}])",
      "tools", kChatRules);
  return declared;
}

class Streams {
 public:
  explicit Streams(std::uint64_t seed) : random_(seed) {
    const Tokenizer& tokenizer = small_tokenizer();
    for (const std::string& text : templates()) {
      templates_.push_back(tokenizer.encode(text));
    }
    for (const AddedToken& added : tokenizer.vocabulary().added) {
      control_.push_back(added.id);
    }
    for (const std::string_view text :
         {"call:", "{", "}",  ",",   ":",    "[",    "]",       "(",    ")",   "=",
          "\"",    "'", "`",  "\\",  "1",    "-",    ".",       "e",    "a",   "b",
          "f",     " ", "\n", "nil", "true", "null", "thought", "note", "text"}) {
      const Ids ids = tokenizer.encode(text);
      marks_.insert(marks_.end(), ids.begin(), ids.end());
    }
  }

  Ids next() {
    Ids ids = below(3) == 0 ? Ids{} : templates_[below(templates_.size())];
    if (ids.empty()) {
      for (std::size_t n = below(kLongest); n > 0; --n) {
        ids.push_back(token());
      }
    }
    for (std::size_t n = below(5); n > 0; --n) {
      damage(ids);
    }
    return ids;
  }

  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_() % count); }

 private:
  std::int32_t token() {
    switch (below(8)) {
      case 0:
      case 1:
        return control_[below(control_.size())];
      case 2:
        return static_cast<std::int32_t>(below(small_tokenizer().size()));
      case 3:
        return *small_tokenizer().id_of("<0x00>") + static_cast<std::int32_t>(below(256));
      default:
        return marks_[below(marks_.size())];
    }
  }

  void damage(Ids& ids) {
    const auto at = ids.begin() + static_cast<std::ptrdiff_t>(below(ids.size() + 1));
    switch (ids.empty() ? 0 : below(5)) {
      case 0:
        ids.insert(at, token());
        return;
      case 1:
        ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(below(ids.size())));
        return;
      case 2:
        ids[below(ids.size())] = token();
        return;
      case 3:
        std::swap(ids[below(ids.size())], ids[below(ids.size())]);
        return;
      default: {  // a piece of it once more
        const std::size_t first = below(ids.size());
        const Ids piece(
            ids.begin() + static_cast<std::ptrdiff_t>(first),
            ids.begin() + static_cast<std::ptrdiff_t>(
                              first + below(std::min<std::size_t>(ids.size() - first, 12) + 1)));
        ids.insert(at, piece.begin(), piece.end());
      }
    }
  }

  std::mt19937_64 random_;
  std::vector<Ids> templates_;
  Ids control_;
  Ids marks_;
};

// Why the texts of an answer are not all UTF-8, or its calls no JSON; empty when they are.
std::string bad_text(const Answer& answer) {
  if (!is_utf8(answer.content) || !is_utf8(answer.reasoning())) {
    return "content or reasoning is not UTF-8";
  }
  for (const ToolCall& call : answer.calls) {
    const std::string json = json_text(call.arguments);
    if (!is_utf8(call.raw) || !is_utf8(json) || !is_utf8(call.error) || !is_utf8(call.name)) {
      return "a call is not UTF-8";
    }
    if (parse_json(json, "arguments", kChatRules) != call.arguments) {
      return "arguments do not come back: " + json;
    }
  }
  return "";
}

std::string check_tokens(const Ids& ids, const AnswerOptions& options) {
  AnswerReader reader(small_tokenizer(), options);
  JoinedEvents joined;
  for (const std::int32_t id : ids) {
    joined.add(reader.push(id));
  }
  joined.add(reader.finish());
  const std::string difference = joined.difference(reader.answer());
  return difference.empty() ? bad_text(reader.answer()) : difference;
}

std::string check_text(const std::string& text, const AnswerOptions& options, Streams& streams) {
  AnswerTextReader reader(options);
  JoinedEvents joined;
  for (std::size_t at = 0, size = 0; at < text.size(); at += size) {
    size = 1 + streams.below(12);
    joined.add(reader.push(std::string_view(text).substr(at, size)));
  }
  joined.add(reader.finish());
  if (!same(reader.answer(), parse_answer_text(text, options))) {
    return "text in pieces differs from the whole";
  }
  return joined.difference(reader.answer());
}

// What is wrong with one stream; empty when nothing is.
std::string check_round(const Ids& ids, Streams& streams) {
  AnswerOptions options;
  options.in_thought = streams.below(4) == 0;
  options.lenient = streams.below(8) != 0;
  options.tools = streams.below(2) == 0 ? &tools() : nullptr;
  try {
    std::string problem = check_tokens(ids, options);
    if (!problem.empty() || streams.below(8) != 0) {
      return problem;
    }
    return check_text(small_tokenizer().decode(ids), options, streams);
  } catch (const std::exception& error) {
    return std::string("an exception: ") + error.what();
  }
}

std::string repeated(const std::string& unit, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) {
    text += unit;
  }
  return text;
}

struct Shape {
  const char* name;
  std::string before;
  std::string unit;
  std::string after;
};

const std::vector<Shape>& shapes() {
  static const std::string d = "<|\"|>";
  static const std::vector<Shape> all = {
      {"unclosed quotes", "call:f{a:", "\"x", ""},
      {"quotes that never match", "call:f{a:", "'\"`", "}"},
      {"bare words without commas", "call:f{", "a:x b:x ", "}"},
      {"pairs", "call:f{", "a:1,", "b:1}"},
      {"many equal keys of the tool", "call:f{", "a:x,", "a:x}"},
      {"many unequal keys", "call:f{", "", "}"},
      {"nested lists", "call:f{a:", "[", ""},
      {"nested mappings", "call:f{", "a:{", "}"},
      {"closing brackets", "call:f{a:1", "}", ""},
      {"delimiters only", "call:f{a:", d, "}"},
      {"unclosed delimiters", "call:f{", "a:" + d + "x,", "}"},
      {"words and delimiters", "call:f{", "a:x" + d + " b=y" + d + " ", ""},
      {"white space", "call:f{a:1", " ", "b}"},
      {"names", "call:", "f.", "{}"},
      {"colons", "call:f{a", ":", "}"},
      {"equal signs", "call:f{", "a=", "}"},
      {"commas", "call:f{", ",", "}"},
      {"backslashes", "call:f{a:\"", "\\\"", "}"},
      {"digits", "call:f{a:", "9", "}"},
      {"numbers", "call:f{a:[", "1e5,", "1]}"},
      {"text after the call", "call:note{text:", "x, y: {z} ", "}"}};
  return all;
}

std::string body_of(const Shape& shape, std::size_t bytes) {
  std::string middle =
      repeated(shape.unit.empty() ? "" : shape.unit, shape.unit.empty() ? 0 : bytes);
  for (std::size_t i = 0; shape.unit.empty() && middle.size() < bytes; ++i) {
    middle += "k" + std::to_string(i) + ":1,";
  }
  return "<|tool_call>" + shape.before + middle + shape.after + "<tool_call|>";
}

double seconds_to_read(const std::string& text) {
  AnswerOptions options;
  options.tools = &tools();
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const std::clock_t start = std::clock();  // of this process: others may hold the machine
    parse_answer_text(text, options);
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

int slow_shapes() {
  int failures = 0;
  for (const Shape& shape : shapes()) {
    const double once = seconds_to_read(body_of(shape, kBody));
    const double twice = seconds_to_read(body_of(shape, 2 * kBody));
    const bool linear = twice <= kAllowedGrowth * once + kClockNoise;
    failures += linear ? 0 : 1;
    std::printf("%-30s %8.4f s %8.4f s %s\n", shape.name, once, twice, linear ? "" : "TOO SLOW");
  }
  return failures;
}

std::string written(const Ids& ids) {
  std::string text;
  for (const std::int32_t id : ids) {
    text += std::to_string(id) + " ";
  }
  return text;
}

int fuzz(std::uint64_t rounds, std::uint64_t seed) {
  Streams streams(seed);
  std::uint64_t failures = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const Ids ids = streams.next();
    const std::string problem = check_round(ids, streams);
    if (!problem.empty() && ++failures <= 10) {
      std::printf("%s\n  ids: %s\n", problem.c_str(), written(ids).c_str());
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%llu streams, seed %llu, %.1f s: %llu failures\n",
              static_cast<unsigned long long>(rounds), static_cast<unsigned long long>(seed),
              took.count(), static_cast<unsigned long long>(failures));
  return slow_shapes() + (failures == 0 ? 0 : 1);
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
  const std::uint64_t rounds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20000;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  return assay::fuzz(rounds, seed) == 0 ? 0 : 1;
}
