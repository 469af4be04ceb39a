// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/place.h"

#include <algorithm>

#include "conformance/catalogue/tap_name.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kNamedTaps = 8;
constexpr std::size_t kNamedMistakes = 12;

std::string taps_within(const TapResult& tap) {
  std::string text;
  for (std::size_t i = 0; i < std::min(tap.within.size(), kNamedTaps); ++i) {
    text += (i == 0 ? "over " : ", ") + tap_leaf(tap.within[i]);
  }
  const bool more = tap.within.size() > kNamedTaps;
  return more ? text + " and " + std::to_string(tap.within.size() - kNamedTaps) + " more" : text;
}

std::string mistakes_of(const TapResult& tap) {
  if (tap.mistakes.empty()) {
    return "";
  }
  std::string text = "mistakes that live there:";
  for (std::size_t i = 0; i < std::min(tap.mistakes.size(), kNamedMistakes); ++i) {
    text += " " + tap.mistakes[i];
  }
  if (tap.mistakes.size() > kNamedMistakes) {
    text += " and " + std::to_string(tap.mistakes.size() - kNamedMistakes) + " more";
  }
  return text + " (assay explain " + tap.mistakes.front() + ")";
}

std::string joined(const std::string& first, const char* separator, const std::string& second) {
  return first + (first.empty() || second.empty() ? "" : separator) + second;
}

}  // namespace

std::string place_of(const TapResult& tap) {
  return joined(tap.rows_note, "; ", tap.signature);
}

std::string step_of(const TapResult& tap) {
  if (tap.within.empty() && tap.mistakes.empty()) {
    return "";
  }
  const std::string since = tap.since.empty() ? "" : "since " + tap.since;
  return joined(joined(since, ", ", taps_within(tap)), "; ", mistakes_of(tap));
}

}  // namespace assay::conformance
