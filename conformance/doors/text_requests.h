// SPDX-License-Identifier: Apache-2.0
// Requests to tokenizer, chat template and parser, answered by the reference's own as taps. They
// have no precision, so neither has this.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "conformance/interface/implementation.h"

namespace assay::conformance {

// `checkpoint` is the folder with the tokenizer. Throws Error naming the request that makes no
// sense.
void answer_requests(const std::vector<TextRequest>& requests, const std::string& checkpoint,
                     TapListener& taps);

}  // namespace assay::conformance
