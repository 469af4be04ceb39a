// SPDX-License-Identifier: Apache-2.0
// Entries of the catalogue that are no mutant, each with its reason.
#include <algorithm>
#include <array>
#include <utility>

#include "conformance/mutants/mutant.h"

namespace assay::conformance {
namespace {

constexpr std::string_view kShape =
    "gives tensors of another shape: a loader's error, or SHAPE at the first tap, which tests of "
    "the judge cover";
constexpr std::string_view kCalls =
    "lives between the calls of a decode, and a mutant acts within one; the properties (chunks, "
    "rollback) and the tests of the cache judge it";
constexpr std::string_view kPadding =
    "acts on padding slots alone, which no tap shows and the reference does not compute";
constexpr std::string_view kSwitch =
    "is a value of the profile, which is tried by itself when a run fails";
constexpr std::string_view kFile =
    "lies in the reader of a file; golden/media and the readers' own tests judge it";
constexpr std::string_view kSame = "is the same mistake as one of the text model, under its label";
constexpr std::string_view kElsewhere =
    "shows in what is drawn or measured, in no tap; unit tests judge it";
constexpr std::string_view kSize =
    "shows for sizes that no case has; the unit tests of the size and the count have them";
constexpr std::string_view kStop =
    "shows in the length of an answer that goes on after the token, and those of the cases end "
    "there; the tests of the stop set judge it";
constexpr std::string_view kRender =
    "needs the conversation again, not the rendered text: the template's tests judge it";

constexpr auto kReasons = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"M-56", "multiplies by a factor of 1e30: no finite value to compare"},
    {"M-82", kShape},
    {"M-85", kShape},
    {"M-87", kCalls},
    {"M-89", kCalls},
    {"M-90", kCalls},
    {"M-91", kCalls},
    {"M-103", kShape},
    {"M-104", kShape},
    {"M-141", kShape},
    {"M-147", "needs keys that layers without any would have made from weights no file keeps"},
    {"M-148", kShape},
    {"M-149", kShape},
    {"M-152", kCalls},
    {"M-154", kCalls},
    {"I2", kSize},
    {"I4", kShape},
    {"I6", kSize},
    {"I7", kSize},
    {"I17", kFile},
    {"I19", kPadding},
    {"I23", kShape},
    {"I25", kFile},
    {"V5", kPadding},
    {"V32", kPadding},
    {"V33", kSwitch},
    {"V49", kPadding},
    {"A3", kShape},
    {"A4", "changes no magnitude: a delay has none"},
    {"A5", kShape},
    {"A14", kPadding},
    {"A17", kSize},
    {"A18", kSize},
    {"A19", kShape},
    {"C12", kPadding},
    {"C13", kShape},
    {"C32", kSwitch},
    {"C34", "sees keys that the reference's window of distances has no place for"},
    {"C39", "changes hidden entries alone, which are not compared"},
    {"C41", kPadding},
    {"C52", "computes the layer's two branches in another order: no tap of it has a counterpart"},
    {"C54", kPadding},
    {"C56", kPadding},
    {"X2", kShape},
    {"X3", kSame},
    {"X6", kSame},
    {"X7", kSame},
    {"X10", kSame},
    {"X11", kSame},
    {"X12", kSame},
    {"X13", kSame},
    {"X14", kSame},
    {"X15", kSame},
    {"P09", "needs another order of merges; the tests of the merge table judge it"},
    {"P10", "needs another order of merges; the tests of the merge table judge it"},
    {"P13", kElsewhere},
    {"P16", kStop},
    {"P17", kStop},
    {"P18", kStop},
    {"P23", kRender},
    {"P24", kRender},
    {"P25", kRender},
    {"P30", kRender},
    {"P31", kRender},
    {"P33", kRender},
    {"P37", kRender},
    {"P50", kElsewhere},
    {"P51", kElsewhere},
    {"P52", kElsewhere},
    {"P53", kElsewhere},
    {"P56", kShape},
    {"P57", kSize},
    {"P58", kSize},
    {"P59", kFile},
    {"P60", kFile},
    {"P61", kFile},
});

}  // namespace

std::string_view why_not_expressible(std::string_view mistake) {
  const auto found =
      std::ranges::find(kReasons, mistake, &std::pair<std::string_view, std::string_view>::first);
  return found == kReasons.end() ? std::string_view() : found->second;
}

}  // namespace assay::conformance
