// SPDX-License-Identifier: Apache-2.0
// Who is under test, on which checkpoint, and everything that a run shows.
//
// Cases know implementations through the interface only. Each of them is run in each precision that
// its author offers; `bound` is how far two ways to the same answer may be apart, as relative L2
// norm of a tap.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/records/tap.h"
#include "reference/family/config/config.h"

namespace assay::conformance {

using TapMap = std::map<std::string, Tap>;

struct Subject {
  std::unique_ptr<Implementation> implementation;
  std::string name;    // "reference f64", for messages
  double bound = 0;    // two ways to the same answer
  ModelConfig config;  // of the checkpoint it has loaded
  // Rows of one call are computed apart from each other: the same call with other values in other
  // rows gives the same bits. Experts gather rows, so with them it does not hold.
  bool rows_apart = true;
};

// The path of a checkpoint of golden/checkpoints.
std::string golden_checkpoint(const std::string& name);

// Every implementation, with the checkpoint at `path` loaded.
std::vector<Subject> subjects(const std::string& path);

// All taps of a run. Throws when the run does not succeed.
TapMap run_taps(Subject& subject, const CaseInput& input, std::size_t prefill_chunk = 0);

}  // namespace assay::conformance
