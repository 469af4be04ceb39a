// SPDX-License-Identifier: Apache-2.0
// The implementations that were built, by name, loaded with a checkpoint.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/interface/session.h"

namespace assay::program {

std::vector<std::string> built_precisions(const std::string& impl);

// Throws assay::Error for an unknown name or precision, and for a checkpoint that cannot be used.
std::unique_ptr<conformance::Implementation> make_implementation(const std::string& impl,
                                                                 const std::string& precision,
                                                                 const std::string& checkpoint,
                                                                 const std::string& drafter);

struct SessionOptions {
  std::string impl = "reference";
  std::string precision = "f32";
  std::string checkpoint;
  std::string drafter;
  std::size_t draft_steps = 0;
  std::string profile = "REF";
};

// The same for a session.
std::unique_ptr<conformance::Session> make_session(const SessionOptions& options);

// Turns a status that is not kOk into the matching exception.
void throw_unless_ok(const conformance::Status& status, const std::string& what);

}  // namespace assay::program
