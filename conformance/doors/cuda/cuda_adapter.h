// SPDX-License-Identifier: Apache-2.0
// The CUDA engine as an implementation under test.
//
// Its taps lack what its fusions do not leave: scores and probabilities of attention. It takes no
// forced values.
#pragma once

#include <memory>
#include <string>

#include "conformance/interface/implementation.h"
#include "conformance/interface/session.h"

namespace assay::conformance {

// "host twin", or the name of the device; empty: there is none.
std::string cuda_executed_on();

// `precision`: "f32" or "bf16" (inputs of products with bf16 weights are rounded to bf16).
std::unique_ptr<Implementation> make_cuda_engine(const std::string& precision);

// Throws Error for a request that the engine cannot serve.
std::unique_ptr<Session> make_cuda_engine_session(const std::string& precision,
                                                  const SessionRequest& request);

}  // namespace assay::conformance
