// SPDX-License-Identifier: Apache-2.0
// The CPU engine as an implementation under test: text models, and the encoders before them.
//
// Its taps lack what its fusions do not leave: scores and probabilities of attention. It takes no
// forced values. Encoders are computed in f32 arithmetic in every class.
#pragma once

#include <memory>
#include <string>

#include "conformance/interface/implementation.h"
#include "conformance/interface/session.h"

namespace assay::conformance {

// `precision`: "f32", "bf16" (inputs of products with bf16 weights are rounded to bf16) or "int8"
// (inputs of products with q8_0 and q4_0 weights, per block of 32).
std::unique_ptr<Implementation> make_cpu(const std::string& precision);

// Throws Error for a request that the engine cannot serve.
std::unique_ptr<Session> make_cpu_session(const std::string& precision,
                                          const SessionRequest& request);

}  // namespace assay::conformance
