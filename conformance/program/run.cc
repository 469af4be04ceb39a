// SPDX-License-Identifier: Apache-2.0
// assay run: what a user types in, what the model answers out.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>

#include "conformance/compare/harness.h"
#include "conformance/generation/conversation.h"
#include "conformance/generation/generation.h"
#include "conformance/program/answer_json.h"
#include "conformance/program/notes.h"
#include "conformance/program/run_options.h"
#include "conformance/program/token_lists.h"
#include "conformance/program/vocabularies.h"
#include "reference/family/base/error.h"
#include "reference/family/base/python_number.h"
#include "reference/family/chat/answer_reader.h"
#include "reference/family/chat/boxes.h"
#include "reference/family/sampling/stop_tokens.h"

namespace assay::program {
namespace {

using conformance::Conversation;
using conformance::GeneratedToken;
using conformance::Generation;
using conformance::GenerationOptions;

constexpr std::size_t kDefaultDraftSteps = 4;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// What the command line says, over what the checkpoint says.
GenerationOptions generation_options(const RunOptions& options, const Tokenizer& tokenizer) {
  const GenerationConfig config = read_generation_config(options.session.checkpoint);
  GenerationOptions generation;
  generation.sampling = config.sampling;
  if (options.temperature) {
    generation.sampling.temperature = *options.temperature;
  }
  generation.sampling.temperature = options.greedy ? 0 : generation.sampling.temperature;
  generation.sampling.top_k = options.top_k.value_or(generation.sampling.top_k);
  generation.sampling.top_p = options.top_p.value_or(generation.sampling.top_p);
  generation.seed = options.seed;
  generation.max_tokens = options.max_tokens;
  generation.draft_steps = options.session.draft_steps;
  generation.stop = stop_tokens(config, tokenizer);
  return generation;
}

struct Turn {
  std::vector<std::int32_t> prompt_ids;
  Generation generation;
  Answer answer;
  std::vector<std::string> call_ids;
  double prefill_seconds = 0;
  double decode_seconds = 0;
};

// Prints what a person should see as it comes: thoughts apart from the answer, calls as JSON.
class Screen {
 public:
  explicit Screen(bool quiet) : quiet_(quiet), colour_(isatty(STDOUT_FILENO) != 0) {}

  void show(const std::vector<AnswerEvent>& events, const Answer& answer) {
    if (quiet_) {
      return;
    }
    for (const AnswerEvent& event : events) {
      switch (event.kind) {
        case AnswerEvent::Kind::kContent:
          leave_thought();
          std::cout << event.text;
          break;
        case AnswerEvent::Kind::kReasoning:
          enter_thought();
          std::cout << event.text;
          break;
        case AnswerEvent::Kind::kCall:
          leave_thought();
          print_call(answer.calls[event.index]);
          break;
      }
    }
    std::cout.flush();
  }

  void end() {
    leave_thought();
    if (!quiet_) {
      std::cout << "\n" << std::flush;
    }
  }

 private:
  void enter_thought() {
    if (!thinking_) {
      std::cout << (colour_ ? "\x1b[2m" : "") << "[thought]\n";
    }
    thinking_ = true;
  }
  void leave_thought() {
    if (thinking_) {
      std::cout << "\n" << (colour_ ? "\x1b[0m" : "[/thought]\n");
    }
    thinking_ = false;
  }
  static void print_call(const ToolCall& call) {
    if (call.error.empty()) {
      std::cout << "[call " << call.name << " " << json_text(call.arguments) << "]\n";
    } else {
      const std::string name = call.name.empty() ? "" : " of " + call.name;
      std::cout << "[call" << name << " that cannot be read: " << call.raw << "]\n";
    }
  }

  bool quiet_;
  bool colour_;
  bool thinking_ = false;
};

Turn answer_turn(conformance::Session& session, const Conversation& conversation,
                 const Tokenizer& tokenizer, const GenerationOptions& options, bool quiet) {
  Turn turn;
  conformance::Logits last;
  const auto start = std::chrono::steady_clock::now();
  conformance::require_ok(session.begin(conversation.request(), turn.prompt_ids, last));
  turn.prefill_seconds = seconds_since(start);

  AnswerOptions how;
  how.in_thought = conversation.opens_thought();
  how.tools = &conversation.tools();
  AnswerReader reader(tokenizer, how);
  Screen screen(quiet);
  const auto decode_start = std::chrono::steady_clock::now();
  turn.generation = generate(session, last, options, [&](const GeneratedToken& token) {
    screen.show(reader.push(token.id), reader.answer());
  });
  screen.show(reader.finish(), reader.answer());
  screen.end();
  turn.decode_seconds = seconds_since(decode_start);
  turn.answer = reader.answer();
  return turn;
}

Json number(double value) {
  return Json(Json::Number{python_number(value)});
}
Json whole(std::size_t value) {
  return Json(Json::Number{std::to_string(value)});
}

Json speculation_fields(const Generation& generation) {
  const auto drafted = static_cast<double>(std::max<std::size_t>(1, generation.drafted));
  Json::Object fields;
  fields.emplace_back("drafted", whole(generation.drafted));
  fields.emplace_back("accepted", whole(generation.accepted));
  fields.emplace_back("acceptance_rate",
                      number(static_cast<double>(generation.accepted) / drafted));
  return Json(std::move(fields));
}

Json timing_fields(const Turn& turn) {
  Json::Object fields;
  fields.emplace_back("prefill_seconds", number(turn.prefill_seconds));
  fields.emplace_back("decode_seconds", number(turn.decode_seconds));
  return Json(std::move(fields));
}

// Of the calls those that a result may answer have an id.
void add_ids(const std::vector<std::string>& ids, Json& calls) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!ids[i].empty()) {
      calls[i]["id"] = ids[i];
    }
  }
}

Json turn_fields(const Turn& turn, const std::string& prompt, bool speculative) {
  Json::Object fields;
  fields.emplace_back("prompt", Json(prompt));
  fields.emplace_back("prompt_ids", id_list(turn.prompt_ids));
  std::vector<std::int32_t> ids;
  Json::Array log_probabilities;
  for (const GeneratedToken& token : turn.generation.tokens) {
    ids.push_back(token.id);
    log_probabilities.push_back(number(token.log_probability));
  }
  fields.emplace_back("ids", id_list(ids));
  fields.emplace_back("log_probabilities", Json(std::move(log_probabilities)));
  for (auto& field : answer_fields(turn.answer)) {
    if (field.first == "tool_calls") {
      add_ids(turn.call_ids, field.second);
    }
    fields.emplace_back(field.first, std::move(field.second));
  }
  fields.emplace_back("finish_reason",
                      Json(std::string(turn.generation.stopped ? "stop" : "length")));
  if (speculative) {
    fields.emplace_back("speculation", speculation_fields(turn.generation));
  }
  fields.emplace_back("timings", timing_fields(turn));
  return Json(std::move(fields));
}

void report(const Turn& turn, const std::string& prompt, const RunOptions& options) {
  const bool speculative = options.session.draft_steps > 0;
  if (options.json) {
    std::cout << json_text(turn_fields(turn, prompt, speculative)) << "\n" << std::flush;
  } else if (speculative) {
    const Generation& g = turn.generation;
    std::fprintf(stderr, "drafts: %zu of %zu accepted\n", g.accepted, g.drafted);
  }
}

// 1 when the answer had to be JSON and is not.
int judge_json(const Turn& turn, const RunOptions& options) {
  if (!options.check_json) {
    return 0;
  }
  const JsonCheck check = assay::check_json(turn.answer.content);
  if (!check.valid) {
    std::fprintf(stderr, "assay: %s\n", check.error.c_str());
  }
  return check.valid ? 0 : 1;
}

constexpr std::string_view kToolLine = "/tool";

bool is_tool_line(std::string_view line) {
  return line.starts_with(kToolLine) &&
         (line.size() == kToolLine.size() || line[kToolLine.size()] == ' ');
}

// "/tool NAME RESULT": JSON, or else text. A name with spaces is known by the call that waits.
void add_tool_line(std::string_view line, Conversation& conversation) {
  const auto rest_of = [](std::string_view text, std::size_t at) {
    return text.substr(std::min(text.find_first_not_of(' ', at), text.size()));
  };
  const std::string_view rest = rest_of(line, kToolLine.size());
  std::string name(rest.substr(0, rest.find(' ')));
  for (const std::string& waiting : conversation.unanswered()) {
    if (rest.starts_with(waiting + " ") && waiting.size() > name.size()) {
      name = waiting;
    }
  }
  const std::string_view result = rest_of(rest, name.size());
  if (name.empty() || result.empty()) {
    throw Error("result: got '" + printable(line) + "', expected /tool NAME RESULT");
  }
  Json value(result);
  try {
    value = parse_json(result, "result", kChatRules);
  } catch (const Error&) {
    // no JSON: the text itself
  }
  conversation.add_result(name, std::move(value));
}

// A line of input: a user's text, a tool's result, or with --messages a message in JSON.
void add_line(const std::string& line, const RunOptions& options, Conversation& conversation) {
  if (!options.messages.empty()) {
    conversation.add_message(parse_json(line, "message", kChatRules));
  } else if (is_tool_line(line)) {
    add_tool_line(line, conversation);
  } else {
    const bool escaped = line.starts_with('/') && is_tool_line(std::string_view(line).substr(1));
    conversation.add_user(escaped ? line.substr(1) : line);
  }
}

// Lines in, answers out.
class Talk {
 public:
  Talk(conformance::Session& session, Conversation& conversation, const Tokenizer& tokenizer,
       const GenerationOptions& generation, const RunOptions& options)
      : session_(session),
        conversation_(conversation),
        tokenizer_(tokenizer),
        generation_(generation),
        options_(options) {}

  // The model's turn. Gives the exit status.
  int answer() {
    const std::string prompt = conversation_.text();
    Turn turn = answer_turn(session_, conversation_, tokenizer_, generation_, options_.json);
    turn.call_ids = conversation_.add_answer(turn.answer);
    report(turn, prompt, options_);
    return judge_json(turn, options_);
  }

  // At a terminal a line that cannot be used is told, and the next one is awaited.
  int converse(std::istream& lines, const std::string& name) {
    const bool terminal = &lines == &std::cin && isatty(STDIN_FILENO) != 0 && !options_.json;
    int status = 0;
    std::string line;
    for (std::size_t number = 1; ask(terminal) && std::getline(lines, line); ++number) {
      if (line.empty()) {
        continue;
      }
      try {
        add_line(line, options_, conversation_);
        status = std::max(status, conversation_.awaits_answer() ? answer() : 0);
      } catch (const Error& error) {
        if (!terminal) {
          throw Error(name + ":" + std::to_string(number) + ": " + error.what());
        }
        std::fprintf(stderr, "assay: %s\n", error.what());
      }
    }
    return status;
  }

 private:
  bool ask(bool terminal) const {
    if (terminal) {
      for (const std::string& tool : conversation_.unanswered()) {
        std::cout << "[" << tool << " waits for its result: /tool " << tool << " RESULT]\n";
      }
      std::cout << "> " << std::flush;
    }
    return true;
  }

  conformance::Session& session_;
  Conversation& conversation_;
  const Tokenizer& tokenizer_;
  const GenerationOptions& generation_;
  const RunOptions& options_;
};

}  // namespace

int run_prompt(const RunOptions& given) {
  RunOptions options = given;
  if (options.session.drafter.empty()) {
    options.session.draft_steps = 0;
  } else if (options.session.draft_steps == 0) {
    options.session.draft_steps = kDefaultDraftSteps;
  }
  const Tokenizer tokenizer = open_tokenizer(options.session.checkpoint, options.vocab);
  const TemplateVariant variant = options.conversation.raw
                                      ? TemplateVariant::kSmall
                                      : open_variant(options.variant, options.session.checkpoint);
  const GenerationOptions generation = generation_options(options, tokenizer);
  Conversation conversation(options.conversation, tokenizer, variant);
  const auto session = make_session(options.session);
  if (const std::string where = session->executed_on(); !where.empty()) {
    std::fprintf(stderr, "executed on: %s\n", where.c_str());
  }
  print_notes(Checkpoint::open(options.session.checkpoint));
  Talk talk(*session, conversation, tokenizer, generation, options);
  if (!options.prompt.empty()) {
    conversation.add_user(options.prompt);
    return talk.answer();
  }
  if (options.messages.empty() || options.messages == "-") {
    return talk.converse(std::cin, "standard input");
  }
  std::ifstream file(options.messages);
  if (!file || file.peek() == std::ifstream::traits_type::eof()) {
    throw Error(options.messages + ": got nothing to read, expected messages in json lines");
  }
  return talk.converse(file, options.messages);
}

}  // namespace assay::program
