// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/nearest_tap.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "conformance/catalogue/catalogue.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kLongestName = 128;  // a stranger's names may be any
constexpr std::size_t kMostKinds = 256;
constexpr std::size_t kFarthest = 40;  // per cent of the longer name that may differ

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Lower case, dots for other separators, # for numbers.
std::string kind_of(std::string_view name, std::vector<std::string>& numbers) {
  std::string kind;
  for (std::size_t i = 0; i < name.size();) {
    if (is_digit(name[i])) {
      const auto end =
          std::find_if_not(name.begin() + static_cast<std::ptrdiff_t>(i), name.end(), is_digit);
      const auto length = static_cast<std::size_t>(end - name.begin()) - i;
      numbers.emplace_back(name.substr(i, length));
      kind += '#';
      i += length;
      continue;
    }
    const char c = name[i++];
    const bool separates = c == '/' || c == ':' || c == '-' || c == ' ' || c == '[' || c == ']';
    kind += separates ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return kind;
}

// Insertions, deletions and changes of a character; a number counts as much as a word.
std::size_t distance(std::string_view a, std::string_view b) {
  constexpr std::size_t kNumber = 8;
  const auto cost = [](char c) { return c == '#' ? kNumber : std::size_t{1}; };
  std::vector<std::size_t> row(b.size() + 1, 0);
  for (std::size_t j = 0; j < b.size(); ++j) {
    row[j + 1] = row[j] + cost(b[j]);
  }
  for (const char c : a) {
    std::size_t diagonal = row[0];
    row[0] += cost(c);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (c == b[j] ? 0 : std::max(cost(c), cost(b[j])));
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + cost(b[j]), row[j + 1] + cost(c)});
    }
  }
  return row.back();
}

std::ptrdiff_t numbers_of(std::string_view kind) {
  return std::ranges::count(kind, '#');
}

// The kind of a pattern, whose placeholders are numbers.
std::string open(std::string_view pattern) {
  std::string name(pattern);
  for (std::size_t at = name.find('{'); at != std::string::npos; at = name.find('{', at)) {
    const std::size_t end = name.find('}', at);
    if (end == std::string::npos) {
      break;
    }
    name.replace(at, end - at + 1, "0");
  }
  std::vector<std::string> numbers;
  return kind_of(name, numbers);
}

// A name and no explanation: "ffn_norm (26B: ffn_norm_1)" is none.
bool is_path(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '#';
  });
}

// Whether one name is the end of the other: layer.#.out, text.layer.#.out.
bool is_tail(std::string_view tail, std::string_view name) {
  return tail.size() < name.size() && !tail.empty() && name.ends_with(tail) &&
         name[name.size() - tail.size() - 1] == '.' && numbers_of(tail) == numbers_of(name);
}

std::string filled(const std::string& kind, const std::vector<std::string>& numbers) {
  std::string name;
  std::size_t next = 0;
  for (const char c : kind) {
    name += c != '#' ? std::string(1, c) : next < numbers.size() ? numbers[next++] : "#";
  }
  return name;
}

}  // namespace

NearestTap::NearestTap(const std::set<std::string>& taps) : taps_(taps) {
  for (const std::string& tap : taps) {
    std::vector<std::string> numbers;
    const std::string kind = kind_of(tap, numbers);
    if (kinds_.insert(kind).second) {
      add_names(tap, kind);
    }
  }
}

// "layers.{i}.mlp.gate_proj out" of transformers, "ffn_gate" of llama.cpp, which adds "-3".
void NearestTap::add_names(const std::string& tap, const std::string& kind) {
  constexpr std::string_view kOut = " out";
  const auto match = find_tap(tap);
  if (!match) {
    return;
  }
  const std::string_view hf = match->entry->hf;
  const std::string path = hf.ends_with(kOut) ? open(hf.substr(0, hf.size() - kOut.size())) : "";
  if (!path.empty() && is_path(path) && numbers_of(path) == numbers_of(kind)) {
    names_.emplace(path, kind);
  }
  std::string word = open(match->entry->llama_cpp);
  if (!word.empty() && is_path(word) && numbers_of(kind) <= 1) {
    word += numbers_of(kind) == 1 ? ".#" : "";
    names_.emplace(word, kind);
  }
}

std::string NearestTap::nearest_kind(const std::string& kind) const {
  for (const auto& [name, tap] : names_) {
    if (kind == name || is_tail(name, kind)) {
      return tap;
    }
  }
  std::string found;
  std::size_t nearest = kLongestName;
  for (const std::string& candidate : kinds_) {
    const bool tail = is_tail(kind, candidate) || is_tail(candidate, kind);
    const std::size_t apart = tail ? 0 : distance(kind, candidate);
    const std::size_t longer = std::max(kind.size(), candidate.size());
    if (apart < nearest && 100 * apart <= kFarthest * longer) {
      nearest = apart;
      found = candidate;
    }
  }
  return found;
}

std::string NearestTap::of(std::string_view name) {
  if (name.size() > kLongestName) {
    return "";
  }
  std::vector<std::string> numbers;
  const std::string kind = kind_of(name, numbers);
  if (found_.size() >= kMostKinds && !found_.contains(kind)) {
    return "";
  }
  const auto [at, added] = found_.try_emplace(kind);
  if (added) {
    at->second = nearest_kind(kind);
  }
  std::string tap = filled(at->second, numbers);
  return taps_.contains(tap) ? tap : "";
}

}  // namespace assay::conformance
