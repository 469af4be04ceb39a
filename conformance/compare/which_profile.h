// SPDX-License-Identifier: Apache-2.0
// A dump that fails: is it right under another profile, and which switch makes it so?
//
// The fp64 reference judges the dump again with one switch changed, for each switch that can be
// felt at the first failing tap. A change that takes failures away and adds none is kept, and the
// search goes on from there; where no single switch helps, two at once are tried.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "conformance/compare/floors.h"
#include "conformance/compare/verdict.h"
#include "conformance/interface/implementation.h"
#include "conformance/records/golden.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

// One switch as it stands in a profile that explains something.
struct SwitchChange {
  std::string setting;  // "audio.window_keys=13"
  std::string who;      // "JAX, MLX"; "" for the value of the reference profile
  std::string ledger;   // "DIV-M04"
};

struct ProfileMatch {
  std::string profile;  // "audio.window_keys=13"; empty: nothing was found
  std::vector<SwitchChange> changes;
  std::vector<std::string> explained;  // taps that fail no longer
  bool whole = false;                  // nothing fails any more
};

// What was judged, and how.
struct Suspect {
  const Golden& golden;
  const TapSet& dump;
  const Floors& floors;
  bool replay = false;  // judged step by step; else end to end
};

// `f64` has the checkpoint loaded. `judged`: the dump under the golden's profile, in that mode.
ProfileMatch which_profile(Implementation& f64, const Suspect& suspect, const CaseResult& judged);

// "this is audio.window_keys=13 (JAX, MLX; DIV-M04), not a Gemma 4 of the reference profile"
std::string describe_match(const ProfileMatch& match, const std::string& golden_profile);

}  // namespace assay::conformance
