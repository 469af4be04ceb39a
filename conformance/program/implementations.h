// SPDX-License-Identifier: Apache-2.0
// The implementations that were built, by name, loaded with a checkpoint.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "conformance/interface/implementation.h"

namespace assay::program {

std::vector<std::string> built_precisions(const std::string& impl);

// Throws assay::Error for an unknown name or precision, and for a checkpoint that cannot be used.
std::unique_ptr<conformance::Implementation> make_implementation(const std::string& impl,
                                                                 const std::string& precision,
                                                                 const std::string& checkpoint,
                                                                 const std::string& drafter);

// Turns a status that is not kOk into the matching exception.
void throw_unless_ok(const conformance::Status& status, const std::string& what);

}  // namespace assay::program
