// SPDX-License-Identifier: Apache-2.0
// Registered implementations by --impl and --precision, loaded with a checkpoint.
#pragma once

#include <memory>
#include <string>

#include "conformance/doors/registry.h"

namespace assay::program {

// Throws assay::Error for a name that --impl does not take.
const conformance::ImplementationEntry& entry_named(const std::string& impl);

// A --precision that the entry has; its usual one where none was given. Throws for another.
std::string precision_of(const conformance::ImplementationEntry& entry,
                         const std::string& precision);

// A --target: holds the implementation to an instruction set. Does nothing for an empty one; throws
// for one that the implementation or the machine does not have, naming those that it has.
void use_target(const conformance::ImplementationEntry& entry, const std::string& target);

// One build of an implementation and what it loaded last.
class LoadedImplementation {
 public:
  LoadedImplementation(const conformance::ImplementationEntry& entry, const std::string& precision);

  // Does nothing when the same is loaded already. A failed load leaves nothing loaded.
  conformance::Status load(const std::string& checkpoint, const std::string& drafter);
  conformance::Implementation& get() { return *implementation_; }

 private:
  std::unique_ptr<conformance::Implementation> implementation_;
  bool loaded_ = false;
  std::string checkpoint_;
  std::string drafter_;
};

// Throws assay::Error for a checkpoint that cannot be used.
std::unique_ptr<conformance::Implementation> make_implementation(
    const conformance::ImplementationEntry& entry, const std::string& precision,
    const std::string& checkpoint, const std::string& drafter);

struct SessionOptions {
  std::string impl = "reference";
  std::string precision;  // empty: the implementation's usual one
  std::string checkpoint;
  std::string drafter;
  std::size_t draft_steps = 0;
  std::string profile = "REF";
  std::string target;  // instruction set; empty: the best
};

// The same for a session.
std::unique_ptr<conformance::Session> make_session(const SessionOptions& options);

}  // namespace assay::program
