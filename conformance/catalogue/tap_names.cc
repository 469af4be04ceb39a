// SPDX-License-Identifier: Apache-2.0
// From the name of a tap to its row of the catalogue, and to its place in a run.
#include <algorithm>
#include <charconv>
#include <utility>

#include "conformance/catalogue/placed_taps.h"

namespace assay::conformance {
namespace {

constexpr std::string_view kMediaPrefix = "media.";

// "12" or a placeholder such as "{i}"; nothing else.
bool is_index(std::string_view segment, std::optional<std::size_t>& value) {
  if (segment.size() == 3 && segment.front() == '{' && segment.back() == '}') {
    return true;
  }
  if (segment.empty() || segment.size() > 6 || (segment.size() > 1 && segment[0] == '0')) {
    return false;
  }
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(segment.begin(), segment.end(), number);
  if (error != std::errc() || end != segment.end()) {
    return false;
  }
  value = number;
  return true;
}

// Takes "<lead>N." off the front of name, writing `placeholder` to the pattern instead of N.
bool take_index(std::string_view& name, std::string_view lead, std::string_view placeholder,
                std::string& pattern, std::optional<std::size_t>& value) {
  if (!name.starts_with(lead)) {
    return false;
  }
  const std::string_view rest = name.substr(lead.size());
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos || !is_index(rest.substr(0, dot), value)) {
    return false;
  }
  pattern.append(lead).append(placeholder).append(".");
  name = rest.substr(dot + 1);
  return true;
}

std::string without_numbers(std::string_view name, TapMatch& match) {
  std::string pattern;
  if (take_index(name, "mtp.step.", "{s}", pattern, match.step)) {
    take_index(name, "layer.", "{j}", pattern, match.layer);
  } else if (!take_index(name, "text.layer.", "{i}", pattern, match.layer) &&
             !take_index(name, "vision.layer.", "{i}", pattern, match.layer) &&
             !take_index(name, "audio.layer.", "{i}", pattern, match.layer) &&
             !take_index(name, "audio.subsample.", "{s}", pattern, match.step)) {
    for (const std::string_view lead : {"tok.", "tpl.", "parse.", "stop."}) {
      if (take_index(name, lead, "{k}", pattern, match.step)) {
        return pattern.append(name);
      }
    }
    take_index(name, "spec.round.", "{r}", pattern, match.step);
  }
  return pattern.append(name);
}

// The row of a name, and its numbers.
std::optional<std::pair<std::size_t, TapMatch>> locate(std::string_view name) {
  TapMatch match;
  std::string media;
  const bool of_item = take_index(name, kMediaPrefix, "{k}", media, match.item);
  const auto index = placed_taps().index(without_numbers(name, match));
  if (!index || (of_item && placed_taps().placed()[*index].stage != Stage::kMedia)) {
    return std::nullopt;
  }
  match.entry = &all_taps()[*index];
  return std::pair(*index, match);
}

}  // namespace

std::optional<TapMatch> find_tap(std::string_view name) {
  const auto found = locate(name);
  return found ? std::optional(found->second) : std::nullopt;
}

std::string_view media_prefix(std::string_view name) {
  std::string_view rest = name;
  std::string pattern;
  std::optional<std::size_t> item;
  const bool of_item = take_index(rest, kMediaPrefix, "{k}", pattern, item);
  return of_item ? name.substr(0, name.size() - rest.size()) : std::string_view();
}

std::vector<std::string> patterns_of(std::string_view name) {
  std::vector<std::string> names = {std::string(name)};
  const auto match = find_tap(name);
  if (!match) {
    return names;
  }
  const std::string pattern(match->entry->pattern);
  if (const std::string prefix(media_prefix(name)); !prefix.empty()) {
    names.push_back("media.{k}." + std::string(name.substr(prefix.size())));
    names.push_back(prefix + pattern);
    names.push_back("media.{k}." + pattern);
  }
  names.push_back(pattern);
  return names;
}

ExecutionKey execution_key(std::string_view name) {
  const auto found = locate(name);
  if (!found) {
    return {static_cast<std::size_t>(Stage::kNowhere), 0, 0, 0, 0};
  }
  const auto& [index, match] = *found;
  const Placed& placed = placed_taps().placed()[index];
  const std::size_t step = match.step.value_or(0);
  const bool media = placed.stage == Stage::kMedia;
  return {static_cast<std::size_t>(placed.stage), media ? match.item.value_or(0) : step,
          static_cast<std::size_t>(placed.part), match.layer.value_or(media ? step : 0), index};
}

}  // namespace assay::conformance
