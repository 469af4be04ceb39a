// SPDX-License-Identifier: Apache-2.0
// What must hold of any implementation without a golden: a name, what it needs, how it is tried.
//
// Two drivers run them: property_cases.cc, the conformance cases on golden/checkpoints, and
// `assay verify --properties`. Labels are those of the list of invariants: I-1 …
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/compare/verdict.h"
#include "conformance/properties/findings.h"
#include "conformance/properties/subject.h"

namespace assay::conformance {

struct Needs {
  // Of the implementation.
  bool chunks = false;  // a prompt fed a few tokens at a time
  bool media = false;   // soft-token embeddings
  // Of the model.
  bool experts = false;
  bool raw_keys_as_values = false;  // on full layers
  bool encoders = false;            // of images
  // Of the checkpoint: safetensors files that are small enough to be copied with other weights.
  bool copies = false;
};

struct Property {
  std::string_view label;  // empty: none
  std::string_view name;
  Needs needs;
  void (*run)(Subject& subject, Findings& findings);
};

// All of them, in the order of their labels.
const std::vector<Property>& properties();

// "I-1 any chunking".
std::string title_of(const Property& property);

struct PropertyResult {
  Verdict verdict = Verdict::kPass;
  std::string message;  // one line
  std::size_t checks = 0;
  std::size_t failed = 0;
  std::vector<std::string> failures;  // the first few
};

// Not supported when a need is not met, or when there was nothing to check. The subject has its
// checkpoint loaded again afterwards.
PropertyResult run_property(const Property& property, Subject& subject);

}  // namespace assay::conformance
