// SPDX-License-Identifier: Apache-2.0
// A case for a checkpoint that has no golden: ids from a fixed seed, the truth from the fp64 build.
#pragma once

#include <string>

#include "conformance/interface/implementation.h"
#include "conformance/program/options.h"
#include "conformance/records/golden.h"
#include "reference/family/config/config.h"

namespace assay::program {

// "own/text-16".
std::string own_case_name(const VerifyOptions& options);

// `f64` has the checkpoint of `model` loaded.
conformance::Golden own_case(conformance::Implementation& f64, const ModelConfig& model,
                             const VerifyOptions& options);

}  // namespace assay::program
