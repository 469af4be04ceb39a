// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/tool_call.h"

#include <algorithm>
#include <vector>

#include "reference/family/chat/call_grammar.h"
#include "reference/family/chat/call_words.h"
#include "reference/family/chat/declared_type.h"

namespace assay {
namespace {

// Readings of one body. What failed is not tried again with repairs that nothing asked for.
class Readings {
 public:
  Readings(std::string_view body, const AnswerOptions& options) : body_(body) {
    rules_.tools = options.tools;
    rules_.convert = options.lenient;
  }

  std::optional<CallReading> with(RepairSet allowed, std::string& error) {
    const bool fails = std::ranges::any_of(failures_, [allowed](const Failure& failure) {
      return ((failure.allowed ^ allowed) & failure.asked).none();
    });
    if (fails) {
      return {};
    }
    rules_.allowed = allowed;
    RepairSet asked;
    auto reading = read_call(body_, rules_, error, asked);
    if (!reading) {
      failures_.push_back({allowed, asked});
    }
    return reading;
  }

 private:
  struct Failure {
    RepairSet allowed, asked;
  };

  std::string_view body_;
  CallRules rules_;
  std::vector<Failure> failures_;
};

// The first reading that holds: strict, with one repair, then with more and more of them; at last
// what the template writes of odd keys and names.
std::optional<CallReading> first_reading(std::string_view body, const AnswerOptions& options,
                                         std::string& error) {
  Readings readings(body, options);
  std::string ignored;
  const auto reading_with = [&](RepairSet allowed) { return readings.with(allowed, ignored); };
  auto reading = readings.with({}, error);
  if (reading || !options.lenient) {
    return reading;
  }
  for (std::size_t i = 0; i < kTriedRepairs && !reading; ++i) {
    reading = reading_with(RepairSet(1U << i));
  }
  RepairSet allowed(1);
  for (std::size_t i = 1; i < kTriedRepairs && !reading; ++i) {
    reading = reading_with(allowed.set(i));
  }
  allowed.reset();
  for (const Repair odd : {Repair::kEmptyKey, Repair::kOddKey, Repair::kOddName}) {
    if (!reading) {
      reading = reading_with(allowed.set(static_cast<std::size_t>(odd)));
    }
  }
  return reading;
}

// The name in a body that cannot be read: "run_shell" of "call:run_shell:\nls". A name without the
// word call counts only in front of a bracket: other text is no call at all. Empty: none.
std::string name_in(std::string_view body, const Json* tools) {
  body = without_space(body);
  const bool called = body.starts_with(kCall);
  body = without_space(body.substr(called ? kCall.size() : 0));
  if (const std::string_view declared = declared_prefix(body, tools, "{(:"); !declared.empty()) {
    return std::string(declared);
  }
  if (!called) {
    body.remove_prefix(std::min(body.find_first_not_of(kOpeners), body.size()));
  }
  std::string_view name = body.substr(0, name_length(body));
  const std::size_t next = body.find_first_not_of(kSpace, name.size());
  const bool opens = next != std::string_view::npos && (body[next] == '{' || body[next] == '(');
  if (!called && !opens) {
    return "";
  }
  name = name.substr(0, name.find_last_not_of(":.") + 1);
  return std::string(name);
}

}  // namespace

ToolCall parse_tool_call(std::string_view body, const AnswerOptions& options) {
  ToolCall call;
  call.raw = with_literals(body);
  const auto reading = first_reading(body, options, call.error);
  if (!reading) {
    call.arguments = Json(Json::Object{});
  } else {
    call.error.clear();
  }
  call.name = reading ? reading->name : name_in(body, options.tools);
  call.tool = options.tools == nullptr ? "" : declared_tool(call.name, *options.tools);
  if (!reading) {
    return call;
  }
  call.arguments = reading->arguments;
  for (std::size_t i = 0; i < kRepairs; ++i) {
    if (reading->used.test(i)) {
      call.repairs.emplace_back(repair_name(static_cast<Repair>(i)));
    }
  }
  return call;
}

}  // namespace assay
