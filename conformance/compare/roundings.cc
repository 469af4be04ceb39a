// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/roundings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <sstream>
#include <string_view>
#include <vector>

#include "conformance/catalogue/inner_steps.h"
#include "conformance/catalogue/roles.h"
#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/judge.h"
#include "conformance/compare/shapes.h"

namespace assay::conformance {
namespace {

std::uint64_t digest_of(std::span<const double> values) {  // FNV-1a, a number at a time
  std::uint64_t digest = 0xCBF29CE484222325u;
  for (const double value : values) {
    digest = (digest ^ std::bit_cast<std::uint64_t>(value)) * 0x100000001B3u;
  }
  return digest;
}

// Of each row of a tap whose values are as exact as the largest of their row.
std::vector<double> largest_of_frames(const Tap& truth, std::size_t width) {
  std::vector<double> largest;
  for (std::size_t i = 0; is_sum_over_samples(truth.name) && i < truth.values.size(); ++i) {
    largest.resize(i / width + 1, 0);
    largest.back() = std::max(largest.back(), std::abs(truth.values[i]));
  }
  return largest;
}

double rms_of_selected(const Tap& truth, const Selection& selection) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < truth.values.size(); ++i) {
    if (selection.has(i) && std::isfinite(truth.values[i])) {
      sum += truth.values[i] * truth.values[i];
      ++count;
    }
  }
  return count == 0 ? 0 : std::sqrt(sum / static_cast<double>(count));
}

std::string percent(double share) {
  std::ostringstream text;
  text.precision(2);
  text << 100 * share << " %";
  return text.str();
}

std::string number(double value) {
  std::ostringstream text;
  text.precision(3);
  text << value;
  return text.str();
}

void fail(TapResult& result, const std::string& note) {
  result.verdict = Verdict::kFail;
  result.code = "ROUNDING";
  add_note(result, note);
}

// Honest programs differ more than the few members of an ensemble show.
double honest_share(const Roundings& roundings, const RoundingFloor& floor) {
  return roundings.single ? std::max({floor.share, floor.spread.share, kHonestShare})
                          : std::max(floor.share, kHonestShareWithin);
}

bool all_toward_zero(const Roundings& roundings) {
  return static_cast<double>(roundings.toward_zero) >
         kTruncated * static_cast<double>(roundings.different);
}

void judge_share(const Roundings& roundings, const RoundingFloor& floor,
                 const PrecisionClass& precision, TapResult& result) {
  const double n = static_cast<double>(roundings.count);
  const double honest = kRoundingLimit * honest_share(roundings, floor);
  const double limit = honest + kRoundingSigmas * std::sqrt(std::max(honest, 1 / n) / n);
  result.differing = roundings.share();
  result.differing_limit = limit;
  if (roundings.share() > limit) {
    fail(result, percent(roundings.share()) + " of the elements are rounded to another " +
                     std::string(precision.name) + " number than the formula gives; honest " +
                     "programs: " + percent(honest_share(roundings, floor)) + ", limit " +
                     percent(limit) +
                     (all_toward_zero(roundings) ? "; nearly all toward zero: truncated" : ""));
  }
}

void judge_size(const Roundings& roundings, const RoundingFloor& floor, TapResult& result) {
  const double cancelling =
      floor.spread.largest > kCancellingSpread ? kCancellingLimit * floor.spread.largest : 0;
  const double limit = std::max(kRoundingLimit * std::max(floor.excess, kHonestExcess), cancelling);
  if (roundings.excess > limit) {
    fail(result, "an element lies " + number(roundings.excess) +
                     " fp32 roundings beyond the boundary of its own rounding, limit " +
                     number(limit));
  }
}

void judge_concentration(const Roundings& roundings, const RoundingFloor& floor,
                         TapResult& result) {
  const double share = kRoundingLimit * honest_share(roundings, floor);
  const auto limit = [&](std::size_t seen, std::size_t more, std::size_t size) {
    return static_cast<double>(seen + more) + share * static_cast<double>(size);
  };
  const double channel = limit(floor.in_channel, kMoreInChannel, roundings.rows);
  const double row = limit(floor.in_row, kMoreInRow, roundings.channels);
  if (static_cast<double>(roundings.in_channel) > channel) {
    fail(result, std::to_string(roundings.in_channel) + " of " + std::to_string(roundings.rows) +
                     " elements of one channel are rounded to another number; limit " +
                     number(channel));
  }
  if (static_cast<double>(roundings.in_row) > row) {
    fail(result, std::to_string(roundings.in_row) + " of " + std::to_string(roundings.channels) +
                     " elements of one row are rounded to another number; limit " + number(row));
  }
}

void judge_gain(const Roundings& roundings, double roundoff, TapResult& result) {
  if (roundings.count < kGainElements || roundings.sum_truth2 == 0) {
    return;
  }
  const double gain = roundings.sum_e_truth / roundings.sum_truth2;
  const double deviation = std::sqrt(roundings.sum_e_truth2) / roundings.sum_truth2;
  if (std::abs(gain) > kGain * roundoff && std::abs(gain) > kGainDeviations * deviation) {
    fail(result, "values are " + number(1 + gain) + " times what they should be, " +
                     number(std::abs(gain) / roundoff) + " roundoffs off; limit " + number(kGain));
    result.code = "GAIN";
  }
}

void judge_before_model(const Roundings& roundings, const PrecisionClass& precision,
                        TapResult& result) {
  judge_gain(roundings, precision.unit_roundoff(), result);
  const double share =
      static_cast<double>(roundings.beyond_frame) / static_cast<double>(roundings.count);
  if (roundings.of_class && result.verdict != Verdict::kFail && share > kFrameShare) {
    fail(result, percent(share) + " of the values are another " + std::string(precision.name) +
                     " number than the formula gives, of the samples in fp32 and of the values " +
                     "before in the dump alike; limit " + percent(kFrameShare));
  }
}

}  // namespace

double Roundings::share() const {
  return count == 0 ? 0 : static_cast<double>(different) / static_cast<double>(count);
}

Roundings measure_roundings(const Tap& truth, std::span<const double> got,
                            const PrecisionClass& precision, const Selection& selection) {
  Roundings found;
  found.digest = digest_of(truth.values);
  found.rows = truth.shape.empty() ? 1 : std::max<std::size_t>(truth.shape[0], 1);
  found.channels = std::max<std::size_t>(truth.values.size() / found.rows, 1);
  const double usual = rms_of_selected(truth, selection);
  const std::vector<double> frames = largest_of_frames(truth, found.channels);
  std::vector<std::size_t> by_row(found.rows, 0);
  std::vector<std::size_t> by_channel(found.channels, 0);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double y = truth.values[i];
    const bool finite = std::isfinite(y) && std::isfinite(got[i]);
    if (!selection.has(i) || !finite || std::abs(y) > precision.largest) {
      continue;
    }
    ++found.count;
    const double rounded = round_to_class(y, precision);
    const bool of_class = round_to_class(got[i], precision) == got[i];
    found.of_class = found.of_class && of_class;
    const double e = (got[i] - (of_class ? rounded : y)) * y;
    found.sum_e_truth += e;
    found.sum_e_truth2 += e * e;
    found.sum_truth2 += y * y;
    const double beyond = std::abs(got[i] - y) - spacing_of_class(y, precision) / 2;
    if (got[i] == rounded || beyond <= 0) {
      continue;
    }
    ++found.different;
    found.toward_zero += std::abs(got[i]) < std::abs(rounded) ? 1 : 0;
    ++by_row[i / found.channels];
    ++by_channel[i % found.channels];
    if (!frames.empty()) {
      const double spread = kFrameSpread * kFloatRoundoff * frames[i / found.channels];
      found.beyond_frame += beyond > spread ? 1 : 0;
    }
    const double excess = beyond / (kFloatRoundoff * std::max(usual, std::abs(y)));
    if (excess > found.excess) {
      found.excess = excess;
      found.worst = i;
    }
  }
  found.in_row = std::ranges::max(by_row);
  found.in_channel = std::ranges::max(by_channel);
  return found;
}

FloatSpread measure_spread(std::span<const double> truth, std::span<const double> got,
                           const PrecisionClass& precision) {
  const double usual = rms(truth);
  FloatSpread found;
  double turned = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < std::min(truth.size(), got.size()); ++i) {
    const double apart = std::abs(got[i] - truth[i]);
    if (!std::isfinite(apart) || std::abs(truth[i]) > precision.largest) {
      continue;
    }
    ++count;
    if (apart > 0) {
      turned += std::min(1.0, apart / spacing_of_class(truth[i], precision));
      const double scale = kFloatRoundoff * std::max(usual, std::abs(truth[i]));
      found.largest = std::max(found.largest, apart / scale);
    }
  }
  found.share = count == 0 ? 0 : turned / static_cast<double>(count);
  return found;
}

void RoundingFloor::raise(const FloatSpread& unrounded) {
  spread.largest = std::max(spread.largest, unrounded.largest);
  spread.share = std::max(spread.share, unrounded.share);
}

void RoundingFloor::raise(const Roundings& roundings) {
  share = std::max(share, roundings.share());
  excess = std::max(excess, roundings.excess);
  in_channel = std::max(in_channel, roundings.in_channel);
  in_row = std::max(in_row, roundings.in_row);
}

void RoundingFloor::raise(const RoundingFloor& other) {
  share = std::max(share, other.share);
  excess = std::max(excess, other.excess);
  raise(other.spread);
  in_channel = std::max(in_channel, other.in_channel);
  in_row = std::max(in_row, other.in_row);
}

void judge_roundings(const Roundings& roundings, const RoundingFloor& floor,
                     const PrecisionClass& precision, TapResult& result) {
  if (roundings.count == 0 || result.verdict == Verdict::kFail) {
    return;
  }
  if (roundings.before_model) {
    judge_before_model(roundings, precision, result);
    return;
  }
  if (!roundings.known || !roundings.of_class || floor.share > kMostHonestShare) {
    const char* const why = !roundings.of_class ? "not all values are numbers of the class"
                            : !roundings.known
                                ? "what is rounded within the step is not known"
                                : "too many roundings of honest programs differ here";
    add_note(result, std::string("resolution: low, ") + why);
    return;
  }
  judge_share(roundings, floor, precision, result);
  if (roundings.single) {
    judge_size(roundings, floor, result);
    judge_concentration(roundings, floor, result);
  }
}

}  // namespace assay::conformance
