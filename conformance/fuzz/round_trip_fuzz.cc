// SPDX-License-Identifier: Apache-2.0
// A call made from the bytes, as the template writes it: the parser gives it back (round_trip.h).
#include <cstdio>

#include "conformance/fuzz/fuzz_target.h"
#include "reference/family/testing/round_trip.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  assay::Choices choices({data, size});
  const assay::GeneratedCall call = assay::generated_call(choices);
  const std::string problem = assay::round_trip_problem(call);
  if (!problem.empty()) {
    std::fprintf(stderr, "%s %s: %s\n", assay::json_text(call.name).c_str(),
                 assay::json_text(call.arguments).c_str(), problem.c_str());
    std::abort();
  }
  return 0;
}
