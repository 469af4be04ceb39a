// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/implementations.h"

#include <algorithm>

#include "conformance/compare/harness.h"
#include "conformance/doors/reference/reference_adapter.h"
#include "conformance/doors/reference/reference_session.h"
#include "reference/family/base/error.h"

namespace assay::program {
namespace {

void check_built(const std::string& impl, const std::string& precision) {
  const auto precisions = built_precisions(impl);
  if (std::find(precisions.begin(), precisions.end(), precision) == precisions.end()) {
    throw Error("--precision: got '" + precision + "', expected f32 or f64 for --impl " + impl);
  }
}

}  // namespace

std::vector<std::string> built_precisions(const std::string& impl) {
  if (impl != "reference") {
    throw Error("--impl: got '" + impl + "', expected one that was built: reference");
  }
  return {"f32", "f64"};
}

std::unique_ptr<conformance::Implementation> make_implementation(const std::string& impl,
                                                                 const std::string& precision,
                                                                 const std::string& checkpoint,
                                                                 const std::string& drafter) {
  check_built(impl, precision);
  auto implementation =
      precision == "f64" ? conformance::make_reference_f64() : conformance::make_reference_f32();
  throw_unless_ok(implementation->load(checkpoint, drafter), "");
  return implementation;
}

std::unique_ptr<conformance::Session> make_session(const SessionOptions& options) {
  check_built(options.impl, options.precision);
  const conformance::SessionRequest request{options.checkpoint, options.drafter,
                                            options.draft_steps, options.profile};
  return options.precision == "f64" ? conformance::make_reference_session_f64(request)
                                    : conformance::make_reference_session_f32(request);
}

void throw_unless_ok(const conformance::Status& status, const std::string& what) {
  if (status.ok()) {
    return;
  }
  const std::string message = what.empty() ? status.message : what + ": " + status.message;
  if (status.code == conformance::StatusCode::kBadInput) {
    throw Error(message);
  }
  throw conformance::HarnessError(message);
}

}  // namespace assay::program
