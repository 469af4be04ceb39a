// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/same_arrays.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>

#include "conformance/compare/constants.h"
#include "conformance/compare/judge.h"
#include "conformance/compare/shapes.h"
#include "conformance/records/tap_order.h"

namespace assay::conformance {
namespace {

std::uint64_t digest(const Tap& tap) {  // FNV-1a, a word at a time
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const double value : tap.values) {
    hash = (hash ^ std::bit_cast<std::uint64_t>(value)) * 0x100000001B3u;
    hash ^= hash >> 29;
  }
  return hash;
}

bool same_bits(const Tap& a, const Tap& b) {
  return std::ranges::equal(a.values, b.values, [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  });
}

// Far beyond what any rounding makes equal.
bool truths_differ(const Tap& a, const Tap& b) {
  if (a.values.size() != b.values.size()) {
    return true;
  }
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double e = a.values[i] - b.values[i];
    difference += std::isfinite(e) ? e * e : 0;
    size += std::isfinite(a.values[i]) ? a.values[i] * a.values[i] : 0;
  }
  return difference > kDistinctTruths * kDistinctTruths * size;
}

bool can_be_told(const Tap& tap, const TapSet& truth) {
  return tap.values.size() >= kSmallestArray && truth.has(tap.name) && !is_discrete(tap) &&
         tap.absent.empty();
}

void spoil(TapResult& tap, const std::string& other, CaseResult& result) {
  if (tap.verdict != Verdict::kFail) {
    result.introduced_by.push_back(tap.tap);
    sort_by_execution(result.introduced_by);
    result.verdict = Verdict::kFail;
  }
  tap.verdict = Verdict::kFail;
  tap.code = "ALIASED";
  add_note(tap, "the same array, bit for bit, as " + other);
}

}  // namespace

std::vector<std::vector<std::string>> same_arrays(const TapSet& truth, const TapSet& dump) {
  std::map<std::uint64_t, std::vector<const Tap*>> by_digest;
  for (const Tap& tap : dump) {
    if (can_be_told(tap, truth)) {
      by_digest[digest(tap)].push_back(&tap);
    }
  }
  std::vector<std::vector<std::string>> groups;
  for (const auto& [hash, taps] : by_digest) {
    const Tap& first = *taps.front();
    std::vector<std::string> group;
    bool differ = false;
    for (const Tap* tap : taps) {
      if (same_bits(first, *tap)) {
        group.push_back(tap->name);
        differ = differ || truths_differ(truth.at(first.name), truth.at(tap->name));
      }
    }
    if (differ) {
      sort_by_execution(group);
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

void judge_same_arrays(const std::vector<std::vector<std::string>>& groups, CaseResult& result) {
  for (const auto& group : groups) {
    const TapResult* nearest = nullptr;
    for (const std::string& name : group) {
      const TapResult* tap = find_result(result, name);
      if (tap != nullptr && (nearest == nullptr || !(tap->rel_l2 >= nearest->rel_l2))) {
        nearest = tap;
      }
    }
    for (const std::string& name : group) {
      TapResult* tap = find_result(result, name);
      if (tap != nullptr && tap != nearest && tap->rel_l2 > nearest->rel_l2 &&
          tap->rel_l2 > kDistinctTruths) {
        spoil(*tap, nearest->tap, result);
      }
    }
  }
}

}  // namespace assay::conformance
