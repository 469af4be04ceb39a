// SPDX-License-Identifier: Apache-2.0
// From the name of a tap to its row of the catalogue, and to its place in a run.
#include <algorithm>
#include <utility>

#include "conformance/catalogue/tap_name.h"
#include "conformance/catalogue/tap_table.h"

namespace assay::conformance {
namespace {

constexpr std::string_view kMediaPrefix = "media.";

// "media.0." of "media.0.vision.pool", with its number; or "".
std::string_view take_media_prefix(std::string_view name, std::optional<std::size_t>& item) {
  if (!name.starts_with(kMediaPrefix)) {
    return {};
  }
  const std::string_view rest = name.substr(kMediaPrefix.size());
  const std::size_t dot = rest.find('.');
  const bool of_item = dot != std::string_view::npos && is_index(rest.substr(0, dot), item);
  return of_item ? name.substr(0, kMediaPrefix.size() + dot + 1) : std::string_view();
}

using Numbers = std::vector<std::optional<std::size_t>>;  // of a name; a placeholder has none

// The name with {} for its numbers and placeholders.
std::string without_numbers(std::string_view name, Numbers& numbers) {
  std::string open;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t dot = std::min(name.find('.', begin), name.size());
    const std::string_view segment = name.substr(begin, dot - begin);
    std::optional<std::size_t> number;
    const bool index = is_index(segment, number);
    open.append(begin == 0 ? "" : ".").append(index ? "{}" : segment);
    if (index) {
      numbers.push_back(number);
    }
    begin = dot + 1;
  }
  return open;
}

// {i} and {j} number layers, all others steps.
void assign(const Numbers& numbers, std::string_view pattern, TapMatch& match) {
  std::size_t brace = 0;
  for (const auto& number : numbers) {
    brace = pattern.find('{', brace) + 1;
    const bool layer = pattern[brace] == 'i' || pattern[brace] == 'j';
    (layer ? match.layer : match.step) = number;
  }
}

// The row of a name, and its numbers.
std::optional<std::pair<std::size_t, TapMatch>> locate(std::string_view name) {
  TapMatch match;
  const std::string_view prefix = take_media_prefix(name, match.item);
  Numbers numbers;
  const auto index = tap_table().index(without_numbers(name.substr(prefix.size()), numbers));
  if (!index) {
    return std::nullopt;
  }
  match.entry = &all_taps()[*index];
  if (!prefix.empty() && match.entry->stage != Stage::kMedia) {
    return std::nullopt;
  }
  assign(numbers, match.entry->pattern, match);
  return std::pair(*index, match);
}

}  // namespace

std::optional<TapMatch> find_tap(std::string_view name) {
  const auto found = locate(name);
  return found ? std::optional(found->second) : std::nullopt;
}

std::string_view media_prefix(std::string_view name) {
  std::optional<std::size_t> item;
  return take_media_prefix(name, item);
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
  const TapEntry& entry = *match.entry;
  const std::size_t step = match.step.value_or(0);
  const bool media = entry.stage == Stage::kMedia;
  return {static_cast<std::size_t>(entry.stage), media ? match.item.value_or(0) : step,
          static_cast<std::size_t>(entry.part), match.layer.value_or(media ? step : 0), index};
}

}  // namespace assay::conformance
