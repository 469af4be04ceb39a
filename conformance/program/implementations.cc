// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/implementations.h"

#include <algorithm>

#include "conformance/compare/harness.h"
#include "reference/family/base/error.h"

namespace assay::program {

using conformance::Implementation;
using conformance::ImplementationEntry;
using conformance::require_ok;

const ImplementationEntry& entry_named(const std::string& impl) {
  const auto* entry = conformance::find_implementation(impl);
  if (entry == nullptr) {
    throw Error("--impl: got '" + impl +
                "', expected one that was built: " + conformance::implementation_names());
  }
  return *entry;
}

std::string precision_of(const ImplementationEntry& entry, const std::string& precision) {
  if (precision.empty()) {
    return entry.precisions.front();
  }
  if (std::ranges::find(entry.precisions, precision) == entry.precisions.end()) {
    throw Error("--precision: got '" + precision + "', expected " +
                conformance::precision_names(entry) + " for --impl " + entry.name);
  }
  return precision;
}

void use_target(const ImplementationEntry& entry, const std::string& target) {
  if (target.empty()) {
    return;
  }
  if (!entry.use_target) {
    throw Error("--target: got '" + target + "', expected none: --impl " + entry.name +
                " has no instruction sets to choose from");
  }
  try {
    entry.use_target(target);
  } catch (const Error& error) {
    throw Error(std::string("--") + error.what());
  }
}

LoadedImplementation::LoadedImplementation(const ImplementationEntry& entry,
                                           const std::string& precision)
    : implementation_(entry.make(precision_of(entry, precision))) {}

conformance::Status LoadedImplementation::load(const std::string& checkpoint,
                                               const std::string& drafter) {
  if (loaded_ && checkpoint == checkpoint_ && drafter == drafter_) {
    return {};
  }
  const auto status = implementation_->load(checkpoint, drafter);
  loaded_ = status.ok();
  checkpoint_ = checkpoint;
  drafter_ = drafter;
  return status;
}

std::unique_ptr<Implementation> make_implementation(const ImplementationEntry& entry,
                                                    const std::string& precision,
                                                    const std::string& checkpoint,
                                                    const std::string& drafter) {
  auto implementation = entry.make(precision_of(entry, precision));
  require_ok(implementation->load(checkpoint, drafter));
  return implementation;
}

std::unique_ptr<conformance::Session> make_session(const SessionOptions& options) {
  const auto& entry = entry_named(options.impl);
  const std::string precision = precision_of(entry, options.precision);
  use_target(entry, options.target);
  if (!entry.make_session) {
    throw Error("--impl: got '" + options.impl + "', expected one that answers prompts");
  }
  conformance::SessionRequest request;
  request.checkpoint = options.checkpoint;
  request.drafter = options.drafter;
  request.draft_steps = options.draft_steps;
  request.profile = options.profile;
  return entry.make_session(precision, request);
}

}  // namespace assay::program
