// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/stored_bits.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "conformance/catalogue/catalogue.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/measure.h"
#include "conformance/compare/partial_rows.h"
#include "conformance/compare/shapes.h"
#include "reference/family/base/error.h"
#include "reference/family/base/number_formats.h"

namespace assay::conformance {
namespace {

struct Format {
  const char* name;
  float (*widen)(std::uint16_t bits);
};
constexpr double kFar = std::numeric_limits<double>::infinity();
constexpr Format kFormats[] = {{"bf16", float_from_bf16}, {"f16", float_from_f16}};

bool holds_bits(const Tap& tap) {
  const auto match = find_tap(tap.name);
  const bool two_bytes = tap.stored == "U16" || tap.stored == "I16" || tap.stored == "V2";
  return two_bytes && match && !match->entry->discrete && !tap.values.empty();
}

std::vector<double> widened(const Tap& tap, const Format& format) {
  std::vector<double> values(tap.values.size());
  std::ranges::transform(tap.values, values.begin(), [&](double stored) {
    const auto bits = static_cast<std::uint32_t>(static_cast<std::int32_t>(stored));
    return static_cast<double>(format.widen(static_cast<std::uint16_t>(bits)));
  });
  return values;
}

// How far the tap is from the truth under a format, as relative L2; infinite where it is no number
// or has another shape.
double distance(const Tap& truth, const Tap& bits, const Format& format) {
  Tap tap = bits;
  tap.values = widened(bits, format);
  if (const auto rows = placed_rows(truth, tap)) {
    tap = *rows;
  }
  if (tap.values.size() != truth.values.size() || !shapes_agree(tap.shape, truth.shape)) {
    return kFar;
  }
  Selection selection;
  selection.drop_rows(truth, tap.absent);
  const Errors errors = measure(truth, tap.values, selection);
  return errors.bad() == 0 && errors.count > 0 ? errors.rel_l2() : kFar;
}

// The format under which the tap is near the truth, and far nearer than under the other.
std::optional<std::size_t> format_of(const Tap& truth, const Tap& bits) {
  const double as_bf16 = distance(truth, bits, kFormats[0]);
  const double as_f16 = distance(truth, bits, kFormats[1]);
  const std::size_t best = as_bf16 <= as_f16 ? 0 : 1;
  const double near = std::min(as_bf16, as_f16);
  const bool clear = near <= kNearRows && kClearFormat * near <= std::max(as_bf16, as_f16);
  return clear ? std::optional(best) : std::nullopt;
}

}  // namespace

WidenedBits widen_stored_bits(const TapSet& truth, TapSet& dump, std::string_view label) {
  std::vector<Tap*> taps;
  std::vector<std::size_t> near(std::size(kFormats), 0);
  for (const std::string& name : dump.names()) {
    Tap* tap = dump.find(name);
    if (!holds_bits(*tap)) {
      continue;
    }
    taps.push_back(tap);
    const Tap* wanted = truth.find(name);
    if (const auto format = wanted == nullptr ? std::nullopt : format_of(*wanted, *tap)) {
      ++near[*format];
    }
  }
  if (taps.empty()) {
    return {};
  }
  const auto best = static_cast<std::size_t>(std::ranges::max_element(near) - near.begin());
  if (std::ranges::count_if(near, [](std::size_t n) { return n > 0; }) != 1) {
    throw Error(
        std::string(label) + ": " + taps.front()->name + ": got integers (" + taps.front()->stored +
        "), expected floating-point numbers; 16-bit floats are stored under their own type, "
        "BF16 or F16 of safetensors, or widened to F32");
  }
  WidenedBits result{kFormats[best].name, taps.front()->stored, {}};
  for (Tap* tap : taps) {
    tap->values = widened(*tap, kFormats[best]);
    tap->integer = false;
    result.taps.push_back(tap->name);
  }
  return result;
}

}  // namespace assay::conformance
