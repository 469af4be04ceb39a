// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/collapse.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "conformance/catalogue/catalogue.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kMostDigits = 6;

void replace(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at != std::string::npos) {
    text.replace(at, from.size(), to);
  }
}

// A tap's name with one number left open: the layer's where there is one, else the step's, else
// the media item's.
struct OpenName {
  std::string pattern;
  std::string placeholder;  // "" when there is no number
  std::size_t number = 0;
};

OpenName open_name(const std::string& tap) {
  const auto match = find_tap(tap);
  if (!match) {
    return {tap, "", 0};
  }
  OpenName open{std::string(match->entry->pattern), "", 0};
  if (match->layer) {
    if (match->step) {
      replace(open.pattern, "{s}", std::to_string(*match->step));
    }
    open.placeholder = match->step ? "{j}" : "{i}";
    open.number = *match->layer;
  } else if (match->step) {
    const std::size_t brace = open.pattern.find('{');
    open.placeholder = brace == std::string::npos ? "" : open.pattern.substr(brace, 3);
    open.number = *match->step;
  } else if (match->item) {
    return {"media.{k}." + open.pattern, "{k}", *match->item};
  }
  open.pattern.insert(0, media_prefix(tap));
  return open;
}

// Any name with its first number left open, if it is one that a layer may have.
OpenName open_number(const std::string& name) {
  constexpr std::string_view kDigits = "0123456789";
  const std::size_t first = name.find_first_of(kDigits);
  if (first == std::string::npos || name.find_first_of("{}") != std::string::npos) {
    return {name, "", 0};
  }
  const std::size_t end = std::min(name.find_first_not_of(kDigits, first), name.size());
  const std::string digits = name.substr(first, end - first);
  if (digits.size() > kMostDigits || (digits.size() > 1 && digits[0] == '0')) {
    return {name, "", 0};
  }
  return {name.substr(0, first) + "{#}" + name.substr(end), "{#}", std::stoul(digits)};
}

struct Gathered {
  std::vector<std::string> taps;
  std::set<std::size_t> numbers;
  std::string placeholder;
};

std::vector<TapGroup> collapse(const std::vector<std::string>& names,
                               OpenName (*open)(const std::string&)) {
  std::vector<std::string> order;
  std::map<std::string, Gathered> groups;
  for (const std::string& name : names) {
    const OpenName opened = open(name);
    const auto [at, added] = groups.try_emplace(opened.pattern);
    if (added) {
      order.push_back(opened.pattern);
    }
    at->second.taps.push_back(name);
    at->second.numbers.insert(opened.number);
    at->second.placeholder = opened.placeholder;
  }
  std::vector<TapGroup> collapsed;
  for (const std::string& pattern : order) {
    Gathered& group = groups.at(pattern);
    const std::string numbers = number_ranges({group.numbers.begin(), group.numbers.end()});
    std::string label = pattern;
    if (!group.placeholder.empty()) {
      replace(label, group.placeholder, group.numbers.size() == 1 ? numbers : "{" + numbers + "}");
    }
    collapsed.push_back({std::move(label), std::move(group.taps)});
  }
  return collapsed;
}

}  // namespace

std::string number_ranges(const std::vector<std::size_t>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) {
      ++last;
    }
    text += (text.empty() ? "" : ",") + std::to_string(numbers[i]);
    if (last > i) {
      text += (last == i + 1 ? "," : "-") + std::to_string(numbers[last]);
    }
    i = last + 1;
  }
  return text;
}

std::vector<TapGroup> collapse_layers(const std::vector<std::string>& taps) {
  return collapse(taps, open_name);
}

std::vector<TapGroup> collapse_names(const std::vector<std::string>& names) {
  return collapse(names, open_number);
}

}  // namespace assay::conformance
