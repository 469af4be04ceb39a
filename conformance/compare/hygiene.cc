// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/hygiene.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "conformance/catalogue/nearest_tap.h"
#include "conformance/compare/judge.h"
#include "conformance/compare/partial_rows.h"
#include "conformance/compare/same_arrays.h"
#include "conformance/compare/shapes.h"
#include "conformance/compare/stored_bits.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kNamedInMessage = 2;
constexpr const char* kSameArray =
    "bit for bit equal, one and the same array, where the truth has different ones: suspect the "
    "dump (a buffer that was reused before it was copied) before the arithmetic";

void add_message(CaseResult& result, const std::string& text) {
  result.message += (result.message.empty() ? "" : "; ") + text;
}

// Notes of one text are one note of several taps.
void add_notes(const std::map<std::string, std::vector<std::string>>& by_text, Hygiene& hygiene) {
  for (const auto& [text, taps] : by_text) {
    hygiene.notes.push_back({taps, text});
  }
}

void note_bits(const TapSet& truth, Dump& dump, Hygiene& hygiene) {
  WidenedBits bits = widen_stored_bits(truth, dump.taps, printable(dump.path.filename().string()));
  if (!bits.taps.empty()) {
    hygiene.notes.push_back({std::move(bits.taps), bits.format + " bits stored as " + bits.stored +
                                                       ", read as " + bits.format +
                                                       ", under which they are near the truth"});
  }
}

// Where most taps with so many elements a row's width have their rows.
using Ends = std::map<std::size_t, std::map<RowEnd, std::size_t>>;  // by rows, votes

std::size_t rows_of(const Tap& truth, const Tap& got) {
  return truth.values.empty() ? 0 : got.values.size() * truth.shape[0] / truth.values.size();
}

Ends ends_of(const TapSet& truth, const Dump& dump) {
  Ends ends;
  for (const Tap& wanted : truth) {
    const Tap* tap = dump.taps.find(wanted.name);
    const auto end = tap == nullptr ? std::nullopt : end_of_rows(wanted, *tap);
    if (end) {
      ++ends[rows_of(wanted, *tap)][*end];
    }
  }
  return ends;
}

RowEnd winner(const std::map<RowEnd, std::size_t>& votes) {
  return std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; })->first;
}

// Rows are placed where they are near the truth. Taps that are near neither end lie where the
// others of as many rows do: their values are wrong, not their rows; unless the prompt was another.
void place_rows(const TapSet& truth, Dump& dump, Hygiene& hygiene) {
  const Ends ends = ends_of(truth, dump);
  std::map<std::string, std::vector<std::string>> by_text;
  for (const Tap& wanted : truth) {
    Tap* tap = dump.taps.find(wanted.name);
    if (tap == nullptr || wanted.shape.empty() || tap->values.size() == wanted.values.size()) {
      continue;
    }
    const auto votes = ends.find(rows_of(wanted, *tap));
    const auto own = end_of_rows(wanted, *tap);
    if (votes == ends.end()) {
      continue;
    }
    const RowEnd end = own ? *own : winner(votes->second);
    auto placed = conformance::place_rows(wanted, *tap, end);
    if (!placed) {
      continue;
    }
    std::string text =
        placed->absent.empty() ? describe_padding(wanted, *tap, end) : describe_rows(*placed);
    if (!own && !placed->absent.empty() && end == RowEnd::kLast) {
      text += ", and near no rows of the case: was the prompt run without its first ids (BOS)?";
    }
    *tap = std::move(*placed);
    by_text[text].push_back(tap->name);
  }
  add_notes(by_text, hygiene);
}

void note_integers(const TapSet& truth, const Dump& dump, Hygiene& hygiene) {
  std::map<std::string, std::vector<std::string>> by_text;
  for (const Tap& tap : dump.taps) {
    const Tap* wanted = truth.find(tap.name);
    if (tap.integer && wanted != nullptr && !is_discrete(*wanted)) {
      by_text["integers (" + tap.stored + ") where floating-point numbers are expected"].push_back(
          tap.name);
    }
  }
  add_notes(by_text, hygiene);
}

void look_over_map(const NameMap& map, const std::set<std::string>& wanted, const TapSet& given,
                   Hygiene& hygiene) {
  const auto rows = map.rows_for(wanted);
  const auto found = map.rows_for(given.names());
  const auto line = [](const MapRow& row) { return row.line; };
  hygiene.rows = rows.size();
  std::ranges::copy_if(rows, std::back_inserter(hygiene.idle_rows), [&](const MapRow& row) {
    return !std::ranges::binary_search(found, row.line, {}, line);
  });
  if (hygiene.idle_rows.empty()) {
    return;
  }
  DumpNote note;
  for (const MapRow& row : hygiene.idle_rows) {
    note.taps.push_back(row.tap);
    note.text += (note.text.empty() ? "" : ", ") + std::to_string(row.line);
  }
  note.text = "no array of the dump bears the map's name: line " + note.text;
  hygiene.notes.push_back(std::move(note));
}

}  // namespace

std::vector<IgnoredName> ignored_names(const Dump& dump, const std::set<std::string>& taps) {
  NearestTap nearest(taps);
  std::vector<IgnoredName> ignored;
  for (const std::string& name : dump.unknown) {
    const std::string meant = nearest.of(name);
    ignored.push_back({name, dump.taps.has(meant) ? "" : meant});
  }
  return ignored;
}

Hygiene clean(const Golden& golden, const NameMap* map, Dump& dump) {
  Hygiene hygiene;
  hygiene.arrays = dump.taps.size();
  hygiene.mapped = map != nullptr;
  hygiene.ignored = ignored_names(dump, golden.truth.names());
  note_bits(golden.truth, dump, hygiene);
  place_rows(golden.truth, dump, hygiene);
  note_integers(golden.truth, dump, hygiene);
  hygiene.same = same_arrays(golden.truth, dump.taps);
  if (map != nullptr) {
    look_over_map(*map, golden.truth.names(), dump.taps, hygiene);
  }
  return hygiene;
}

void add_hygiene(const Hygiene& hygiene, CaseResult& result) {
  judge_same_arrays(hygiene.same, result);
  result.ignored = hygiene.ignored;
  result.coverage.ignored = hygiene.ignored.size();
  result.notes = hygiene.notes;
  for (const DumpNote& note : hygiene.notes) {
    for (const std::string& tap : note.taps) {
      if (TapResult* judged = find_result(result, tap)) {
        add_note(*judged, note.text);
      }
    }
  }
  for (const auto& group : hygiene.same) {
    result.notes.push_back({group, kSameArray});
  }
  if (!hygiene.same.empty()) {
    add_message(result,
                "several taps are one and the same array: suspect the dump before the "
                "arithmetic");
  }
  if (hygiene.mostly_idle()) {
    add_message(result, describe_idle_rows(hygiene));
  }
  if (hygiene.ignored.empty()) {
    return;
  }
  const bool passed = result.verdict == Verdict::kPass || result.verdict == Verdict::kWarning;
  if (passed) {
    result.verdict = hygiene.mostly_ignored() ? Verdict::kNotTested : Verdict::kWarning;
  }
  add_message(result, describe_ignored(hygiene));
}

std::string describe_ignored(const Hygiene& hygiene) {
  std::string text = std::to_string(hygiene.ignored.size()) + " of " +
                     std::to_string(hygiene.arrays) + " arrays of the dump bear no tap's name: ";
  for (std::size_t i = 0; i < std::min(hygiene.ignored.size(), kNamedInMessage); ++i) {
    const IgnoredName& ignored = hygiene.ignored[i];
    text += (i == 0 ? "" : ", ") + printable(ignored.name) +
            (ignored.meant.empty() ? "" : " (did you mean " + ignored.meant + "?)");
  }
  return text + (hygiene.ignored.size() > kNamedInMessage ? ", …" : "");
}

std::string describe_idle_rows(const Hygiene& hygiene) {
  std::string text = "warning: " + std::to_string(hygiene.idle_rows.size()) + " of " +
                     std::to_string(hygiene.rows) + " rows of the map find no array: ";
  for (std::size_t i = 0; i < std::min(hygiene.idle_rows.size(), kNamedInMessage); ++i) {
    text += (i == 0 ? "" : ", ") + printable(hygiene.idle_rows[i].name);
  }
  return text + (hygiene.idle_rows.size() > kNamedInMessage ? ", …" : "");
}

}  // namespace assay::conformance
