// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/where.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "conformance/catalogue/paragraphs.h"
#include "conformance/catalogue/roles.h"
#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/blame.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/judge.h"
#include "conformance/compare/listeners.h"
#include "conformance/compare/shapes.h"

namespace assay::conformance {
namespace {

using Rows = std::vector<std::size_t>;

// Keys of the widest row of the local mask, where that is fewer than the last row could see.
std::size_t window_of(const Tap* mask) {
  if (mask == nullptr || mask->shape.size() != 2 || mask->shape[0] == 0) {
    return 0;
  }
  const std::size_t keys = mask->shape[1];
  std::size_t visible = 0;  // to the last row: blocks of images widen others
  for (std::size_t key = 0; key < keys; ++key) {
    visible += mask->values[(mask->shape[0] - 1) * keys + key] != 0;
  }
  return visible < mask->shape[0] ? visible : 0;
}

bool is_run(const Rows& rows) {
  return rows.back() - rows.front() + 1 == rows.size();
}

std::string ranges(const Rows& rows) {
  std::string text;
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t last = i;
    while (last + 1 < rows.size() && rows[last + 1] == rows[last] + 1) {
      ++last;
    }
    text += (text.empty() ? "" : ", ") + std::to_string(rows[i]);
    text += last > i ? "-" + std::to_string(rows[last]) : "";
    i = last + 1;
  }
  return text;
}

// The rows for which a property holds, where that is so for some of them and not for all.
template <class Has>
bool are_all_that(const Rows& rows, std::size_t count, Has has) {
  Rows those;
  for (std::size_t row = 0; row < count; ++row) {
    if (has(row)) {
      those.push_back(row);
    }
  }
  return those == rows && those.size() < count;
}

// What the wrong rows of a text tap share.
std::string in_common(const Rows& rows, std::size_t count, const CaseInput& input,
                      const PromptFacts& facts) {
  if (is_run(rows) && rows.back() + 1 == count) {
    if (facts.window > 0 && rows.front() == facts.window) {
      return ", from the window's width on";
    }
    if (rows.size() == 1) {
      return ", the last";
    }
  }
  const auto& ids = input.ids;
  const auto& types = input.token_types;
  const std::size_t first = rows.front();
  if (are_all_that(rows, count, [&](std::size_t row) { return ids[row] == ids[first]; })) {
    return ", " + std::string(rows.size() > 1 ? "all with" : "the one with") + " id " +
           std::to_string(ids[first]);
  }
  if (types.size() == count && types[first] != 0) {
    std::size_t begin = first;
    while (begin > 0 && types[begin - 1] == types[first]) {
      --begin;
    }
    std::size_t end = first;
    while (end < count && types[end] == types[first]) {
      ++end;
    }
    if (is_run(rows) && begin == first && end == rows.back() + 1) {
      return types[first] == 3 ? ", those of one audio clip" : ", those of one image";
    }
    if (are_all_that(rows, count, [&](std::size_t row) { return types[row] != 0; })) {
      return ", all placeholders of media";
    }
  }
  if (types.size() == count &&
      are_all_that(rows, count, [&](std::size_t row) { return types[row] == 0; })) {
    return ", all of text";
  }
  return is_run(rows) && rows.front() > 0 && rows.back() + 1 == count ? ", the rest from there on"
                                                                      : "";
}

bool has_row_per_token(const TapResult& tap, const CaseInput& input) {
  return stage_of(tap.tap) == Stage::kText && tap.rows == input.ids.size();
}

std::size_t entry_of(std::string_view tap) {
  const auto match = find_tap(tap);
  return match ? static_cast<std::size_t>(match->entry - all_taps().data()) : all_taps().size();
}

// The dumped tap before this one.
std::string dumped_before(const TapSet& dump, const std::string& tap) {
  const ExecutionKey end = execution_key(tap);
  std::string last;
  for (const Tap& other : dump) {
    if (find_tap(other.name) && execution_key(other.name) < end &&
        (last.empty() || execution_key(last) < execution_key(other.name))) {
      last = other.name;
    }
  }
  return last;
}

// What this model has, as far as golden and dump know.
std::set<Presence> parts_of(const Golden& golden, const TapSet& dump) {
  std::set<Presence> parts = {Presence::kAlways, Presence::kOwnsKv};
  for (const TapSet* taps : {&golden.truth, &dump}) {
    for (const Tap& tap : *taps) {
      if (const auto match = find_tap(tap.name)) {
        parts.insert(match->entry->presence);
      }
    }
  }
  return parts;
}

// The taps between two, that the dump lacks: of one layer from the first to the last, or of the
// layer from its beginning; and the masks and angles that go into them.
std::vector<std::string> between(const std::set<Presence>& parts, const TapSet& dump,
                                 const std::string& since, const std::string& tap) {
  const ExecutionKey end = execution_key(tap);
  const std::string prefix = tap_prefix(tap);
  const bool same_layer = !since.empty() && tap_prefix(since) == prefix;
  const std::size_t first = same_layer ? entry_of(since) + 1 : 0;
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    const auto match = find_tap(name);
    if (match && !dump.has(name) && parts.contains(match->entry->presence)) {
      names.push_back(name);
    }
  };
  const std::size_t last = entry_of(tap);
  for (std::size_t entry = first; entry < last; ++entry) {
    const std::string_view pattern = all_taps()[entry].pattern;
    const std::string name = prefix.empty() ? std::string(pattern) : beside(tap, tap_leaf(pattern));
    const bool here = find_tap(name) && entry_of(name) == entry && tap_prefix(name) == prefix &&
                      execution_key(name) < end;
    const bool after = since.empty() || execution_key(since) < execution_key(name);
    if (here && after) {
      add(name);
    }
  }
  const auto has = [&](auto condition) {
    return std::ranges::any_of(names, condition) || condition(tap);
  };
  if (has([](const std::string& name) { return is_probabilities(name); })) {
    for (const std::string& mask : mask_taps()) {
      add(mask);
    }
  }
  return names;
}

// After the layers.
bool is_late(const std::string& tap) {
  const auto match = find_tap(tap);
  return match && match->entry->part == Part::kAfter;
}

std::vector<std::string> mistakes_at(const std::vector<std::string>& taps) {
  std::set<std::string> patterns;
  for (const std::string& tap : taps) {
    if (const auto match = find_tap(tap)) {
      patterns.insert(std::string(match->entry->pattern));
    }
  }
  std::vector<std::string> labels;
  for (const Mistake& mistake : all_mistakes()) {
    const auto words = words_of(mistake.tap);
    if (!words.empty() && patterns.contains(std::string(words.front()))) {
      labels.emplace_back(mistake.label);
    }
  }
  return labels;
}

// A dump of the logits alone is one step, in which every mistake may live.
void say_step(const std::set<Presence>& parts, const TapSet& dump, TapResult& tap) {
  tap.since = dumped_before(dump, tap.tap);
  if (tap.since.empty() && tap_prefix(tap.tap).empty() && is_late(tap.tap)) {
    return;
  }
  tap.within = between(parts, dump, tap.since, tap.tap);
  auto all = tap.within;
  all.push_back(tap.tap);
  tap.mistakes = mistakes_at(all);
}

// Relative L2 of got[from ...] against want[to ...], over `count` values.
double distance(const Tap& got, std::size_t from, const Tap& want, std::size_t to,
                std::size_t count) {
  double e2 = 0;
  double t2 = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double e = got.values[from + i] - want.values[to + i];
    e2 += e * e;
    t2 += want.values[to + i] * want.values[to + i];
  }
  return t2 > 0 ? std::sqrt(e2 / t2) : HUGE_VAL;
}

// "each row is what belongs one row before", where that is so.
std::string shifted_rows(const Tap& got, const Tap& want) {
  if (want.shape.size() < 2 || want.shape[0] < 3 || got.values.size() != want.values.size()) {
    return "";
  }
  const std::size_t width = want.values.size() / want.shape[0];
  const std::size_t count = want.values.size() - width;
  if (distance(got, width, want, 0, count) < kSameValues) {
    return "each row holds what belongs in the row before it: one position late";
  }
  if (distance(got, 0, want, width, count) < kSameValues) {
    return "each row holds what belongs in the row after it: one position early";
  }
  return "";
}

std::string another_tap(const Golden& golden, const Tap& got) {
  for (const Tap& other : golden.truth) {
    if (other.name != got.name && other.values.size() == got.values.size() && !is_discrete(other) &&
        distance(got, 0, other, 0, got.values.size()) < kSameValues) {
      return "it holds what belongs at " + other.name;
    }
  }
  return "";
}

void say_other_data(const Golden& golden, const TapSet& dump, TapResult& tap) {
  const Tap* got = dump.find(tap.tap);
  if (got == nullptr || is_discrete(*got) || !got->absent.empty() || tap.code != "TOL") {
    return;
  }
  const Tap* want = golden.truth.find(tap.tap);
  std::string text = want == nullptr ? "" : shifted_rows(*got, *want);
  if (text.empty()) {
    text = another_tap(golden, *got);
  }
  if (!text.empty()) {
    tap.signature += (tap.signature.empty() ? "" : "; ") + text;
  }
}

}  // namespace

PromptFacts prompt_facts(Implementation* f64, const Golden& golden) {
  const std::string local = mask_taps().front();
  if (const Tap* mask = golden.truth.find(local)) {
    return {window_of(mask)};
  }
  if (f64 == nullptr) {
    return {};
  }
  CollectingListener listener([&](const std::string& name) { return name == local; });
  RunOptions options;
  options.profile = golden.profile;
  const bool ran = f64->run(golden.input, options, listener).ok();
  return {ran ? window_of(listener.taps().find(local)) : 0};
}

std::string describe_wrong_rows(const TapResult& tap, const CaseInput& input,
                                const PromptFacts& facts) {
  if (tap.wrong_rows.empty() || tap.wrong_rows.size() == tap.rows) {
    return "";
  }
  std::string text = std::string(tap.wrong_rows.size() == 1 ? "row " : "rows ") +
                     ranges(tap.wrong_rows) + " of " + std::to_string(tap.rows);
  return has_row_per_token(tap, input) ? text + in_common(tap.wrong_rows, tap.rows, input, facts)
                                       : text;
}

void say_where(const Golden& golden, const TapSet& dump, const PromptFacts& facts,
               CaseResult& result) {
  for (TapResult& tap : result.taps) {
    if (tap.verdict == Verdict::kFail) {
      tap.rows_note = describe_wrong_rows(tap, golden.input, facts);
    }
  }
  const auto parts = parts_of(golden, dump);
  for (const std::string& name : result.introduced_by) {
    if (TapResult* tap = find_result(result, name)) {
      say_step(parts, dump, *tap);
      say_other_data(golden, dump, *tap);
    }
  }
}

bool is_of_ids(const std::string& tap) {
  const auto match = find_tap(tap);
  return match && match->entry->stage == Stage::kText && match->entry->part == Part::kBefore &&
         match->entry->shape == "[T, D]";
}

std::string other_ids(Implementation& f64, const Golden& golden, const Tap& got,
                      std::size_t vocabulary) {
  const std::size_t tokens = golden.input.ids.size();
  if (vocabulary == 0 || vocabulary > kSearchedIds || got.shape.empty() || got.shape[0] != tokens ||
      got.values.size() % tokens != 0) {
    return "";
  }
  const std::size_t width = got.values.size() / tokens;
  CaseInput all;
  for (std::size_t id = 0; id < vocabulary; ++id) {
    all.ids.push_back(static_cast<std::int32_t>(id));
    all.token_types.push_back(0);
  }
  CollectingListener listener([&](const std::string& name) { return name == got.name; });
  if (!f64.run(all, {}, listener).ok() || listener.taps().find(got.name) == nullptr) {
    return "";
  }
  const Tap& table = listener.taps().at(got.name);
  if (table.values.size() != vocabulary * width) {
    return "";
  }
  std::string found;
  std::string wanted;
  bool other = false;
  for (std::size_t row = 0; row < tokens; ++row) {
    std::size_t id = 0;
    while (id < vocabulary &&
           !(distance(got, row * width, table, id * width, width) < kSameValues)) {
      ++id;
    }
    if (id == vocabulary) {
      return "";
    }
    other = other || id != static_cast<std::size_t>(golden.input.ids[row]);
    found += " " + std::to_string(id);
    wanted += " " + std::to_string(golden.input.ids[row]);
  }
  return other ? "the embeddings of another prompt: ids" + found + ", the case has" + wanted : "";
}

}  // namespace assay::conformance
