// SPDX-License-Identifier: Apache-2.0
// Who is under test, on which checkpoint, and everything that a run shows.
//
// Properties know implementations through the interface only.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "conformance/interface/implementation.h"
#include "conformance/properties/yardstick.h"
#include "conformance/records/tap.h"
#include "reference/family/config/config.h"

namespace assay::conformance {

using TapMap = std::map<std::string, Tap>;

struct Subject {
  Implementation& implementation;  // has the checkpoint loaded
  std::string checkpoint;          // its folder
  ModelConfig config;
  Capabilities can;
  std::shared_ptr<Yardstick> yardstick = {};  // of its class
  std::string loaded = {};                    // the checkpoint that it runs now
  // Rows of one call are computed apart from each other: the same call with other values in other
  // rows gives the same bits. Experts gather rows, so with them it does not hold.
  bool rows_apart = true;
  bool takes_media = true;  // soft-token embeddings among the tokens
  std::string profile = "REF";
};

// Loads the checkpoint. Throws Stopped when the implementation cannot, and Error for a folder that
// holds none and for a class that is not known.
Subject make_subject(Implementation& implementation, const std::string& checkpoint,
                     std::shared_ptr<Yardstick> yardstick, const std::string& profile = "REF");

// The class that an implementation says it computes in. Throws Error for one that is not known.
const PrecisionClass& class_of(const Implementation& implementation);

// Loads another checkpoint of the same sizes; run_property() brings the first one back.
void load(Subject& subject, const std::string& checkpoint);

// The prompt with media, where it is taken.
CaseInput usual_prompt(const Subject& subject);

// All taps of a run. Throws Stopped when the run does not succeed.
TapMap run_taps(Subject& subject, const CaseInput& input, std::size_t prefill_chunk = 0);

// Throws Stopped, not supported, for a tap that was not given.
const Tap& tap_of(const TapMap& taps, const std::string& name);

}  // namespace assay::conformance
