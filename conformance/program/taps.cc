// SPDX-License-Identifier: Apache-2.0
// assay taps: the catalogue, a paragraph for each tap.
#include <iostream>
#include <string>

#include "conformance/catalogue/catalogue.h"
#include "conformance/program/glob.h"
#include "conformance/program/options.h"
#include "conformance/program/print_catalogue.h"
#include "reference/family/base/error.h"

namespace assay::program {
namespace {

// media.{k}.vision.pool, as media taps are called in goldens and dumps.
bool shown_in_prompts(const std::string& glob, const conformance::TapEntry& entry) {
  const std::string name = "media.{k}." + std::string(entry.pattern);
  return glob_matches(glob, name) && conformance::find_tap(name);
}

}  // namespace

int taps(const TapsOptions& options) {
  std::size_t shown = 0;
  for (const auto& entry : conformance::all_taps()) {
    if (glob_matches(options.glob, entry.pattern) || shown_in_prompts(options.glob, entry)) {
      print_tap(std::cout, entry);
      ++shown;
    }
  }
  if (shown == 0) {
    throw Error("taps: got '" + options.glob + "', expected a pattern that some tap matches");
  }
  return 0;
}

}  // namespace assay::program
