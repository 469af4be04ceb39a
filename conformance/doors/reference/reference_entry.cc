// SPDX-License-Identifier: Apache-2.0
// The reference in the registry: its two builds under one name. Compiled once, for no precision.
#include "conformance/doors/reference/reference_adapter.h"
#include "conformance/doors/reference/reference_session.h"
#include "conformance/doors/registry.h"

namespace assay::conformance {
namespace {

ImplementationEntry reference_entry() {
  ImplementationEntry entry;
  entry.name = "reference";
  entry.precisions = {"f32", "f64"};
  entry.make = [](const std::string& precision) {
    return precision == "f64" ? make_reference_f64() : make_reference_f32();
  };
  entry.make_session = [](const std::string& precision, const SessionRequest& request) {
    return precision == "f64" ? make_reference_session_f64(request)
                              : make_reference_session_f32(request);
  };
  entry.use_threads = use_blas_threads;
  entry.is_oracle = true;
  return entry;
}

[[maybe_unused]] const bool kRegistered = register_implementation(reference_entry());

}  // namespace
}  // namespace assay::conformance
