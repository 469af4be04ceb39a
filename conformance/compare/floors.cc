// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/floors.h"

#include <algorithm>
#include <cmath>

#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/shapes.h"

namespace assay::conformance {
namespace {

struct StoredFloor {
  double rel_l2 = std::numeric_limits<double>::quiet_NaN();
  double row = std::numeric_limits<double>::quiet_NaN();
};

// The class's own attributes, else those of the class it is scaled from.
StoredFloor stored_floor(const Golden& golden, const std::string& tap,
                         const PrecisionClass& precision) {
  const std::string own(precision.name);
  const double value = golden.floor(tap, "floor_chain_" + own);
  if (!std::isnan(value)) {
    return {value, golden.floor(tap, "floor_row_" + own)};
  }
  const std::string base(precision.floors_of);
  return {golden.floor(tap, "floor_chain_" + base) * precision.floor_scale,
          golden.floor(tap, "floor_row_" + base) * precision.floor_scale};
}

}  // namespace

TapFloor TapFloor::of_some_rows(bool some) const {
  TapFloor floor = *this;
  if (some && row > rel_l2) {  // false where rows are not judged
    floor.rel_l2 = row;
  }
  return floor;
}

void Floors::raise(Pair& pair, const Errors& errors) {
  const double rel_l2 = errors.rel_l2();
  if (std::isfinite(rel_l2)) {
    pair.rel_l2 = std::max(pair.rel_l2, rel_l2);
  }
  if (std::isfinite(errors.worst_row)) {
    pair.row = std::max(pair.row, errors.worst_row);
  }
}

void Floors::raise_chained(const std::string& tap, const Errors& errors) {
  raise(chained_[tap], errors);
}

void Floors::raise_replay(const std::string& tap, const Errors& errors) {
  raise(replay_[tap_kind(tap)], errors);
  raise(own_[tap], errors);
}

void Floors::raise_roundings(const std::string& tap, const Roundings& roundings, bool fused) {
  if (roundings.count > 0) {
    (fused ? fused_ : roundings_)[tap_kind(tap)].raise(roundings);
  }
}

void Floors::raise_spread(const std::string& tap, const FloatSpread& unrounded) {
  if (const auto found = roundings_.find(tap_kind(tap)); found != roundings_.end()) {
    found->second.raise(unrounded);
  }
}

std::optional<RoundingFloor> Floors::roundings(const std::string& tap, bool fused) const {
  const std::string kind = tap_kind(tap);
  const auto found = roundings_.find(kind);
  if (found == roundings_.end()) {
    return std::nullopt;
  }
  RoundingFloor floor = found->second;
  if (const auto more = fused_.find(kind); fused && more != fused_.end()) {
    floor.raise(more->second);
  }
  return floor;
}

void Floors::use_stored(const Golden& golden) {
  for (const auto& [tap, floors] : golden.floors) {
    if (floors.narrowed) {
      narrowed_.insert(tap);
    }
    const StoredFloor stored = stored_floor(golden, tap, *precision_);
    if (!std::isnan(stored.rel_l2)) {
      stored_[tap] = {stored.rel_l2, stored.row};
    }
  }
}

bool Floors::stored_for_all(const Golden& golden, const PrecisionClass& precision) {
  return std::ranges::all_of(golden.truth, [&](const Tap& tap) {
    return is_discrete(tap) || !std::isnan(stored_floor(golden, tap.name, precision).rel_l2);
  });
}

// Stored floors are of the class already; measured ones are of the class they are scaled from.
TapFloor Floors::finish(double rel_l2, double row, const char* source) const {
  const double least = kSmallestFloor * precision_->unit_roundoff();
  TapFloor floor{std::max(rel_l2, least), row, source};
  if (!std::isnan(row)) {
    floor.row = std::max(row, least);
  }
  return floor;
}

TapFloor Floors::widened(TapFloor floor, const std::string& tap) const {
  if (narrowed_.contains(tap)) {
    floor.rel_l2 = std::max(floor.rel_l2, kNarrowedTruth);
    floor.row = std::max(floor.row, kNarrowedTruth);  // a NaN stays: rows are not judged
  }
  return floor;
}

Floors Floors::plus(const Floors& other) const {
  const double least = kSmallestFloor * find_precision(precision_->floors_of)->unit_roundoff();
  const auto sum = [least](double a, double b) { return std::max(a, least) + std::max(b, least); };
  Floors floors(*precision_);
  for (const auto& [tap, pair] : chained_) {
    if (const auto found = other.chained_.find(tap); found != other.chained_.end()) {
      floors.chained_[tap] = {sum(pair.rel_l2, found->second.rel_l2),
                              sum(pair.row, found->second.row)};
    }
  }
  return floors;
}

TapFloor Floors::chained(const std::string& tap) const {
  const double scale = precision_->floor_scale;
  const auto measured = chained_.find(tap);
  if (const auto stored = stored_.find(tap); stored != stored_.end()) {
    double row = stored->second.row;
    if (std::isnan(row) && measured != chained_.end()) {
      row = measured->second.row * scale;
    }
    return widened(finish(stored->second.rel_l2, row, "golden"), tap);
  }
  if (measured == chained_.end()) {
    return {};
  }
  return widened(finish(measured->second.rel_l2 * scale, measured->second.row * scale, "measured"),
                 tap);
}

TapFloor Floors::replay(const std::string& tap) const {
  const auto measured = replay_.find(tap_kind(tap));
  if (measured == replay_.end()) {
    const double step = kPredictedStep * precision_->unit_roundoff();
    return finish(step, std::numeric_limits<double>::quiet_NaN(), "predicted");
  }
  Pair pooled = measured->second;
  if (const auto own = own_.find(tap); own != own_.end()) {
    const double least = kSmallestFloor * find_precision(precision_->floors_of)->unit_roundoff();
    pooled.rel_l2 = std::min(pooled.rel_l2, kPoolReach * std::max(own->second.rel_l2, least));
    pooled.row = std::min(pooled.row, kPoolReach * std::max(own->second.row, least));
  }
  const double scale = precision_->floor_scale;
  return finish(pooled.rel_l2 * scale, pooled.row * scale, "measured");
}

}  // namespace assay::conformance
