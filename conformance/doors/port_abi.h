// SPDX-License-Identifier: Apache-2.0
// Between the C++ interface and its C ABI (interface/assay_port.h), in both directions.
//
//   entry_of_port   a C port as an implementation of the registry: what a loader of shared
//   libraries
//                   hands to register_implementation()
//   ExportedPort    an implementation of the registry as a C port
//
// Values cross as they lie: a tap's bytes are those of the implementation. What a port hands out is
// checked; one that breaks the contract ends the call with a status and one line.
#pragma once

#include <memory>

#include "conformance/doors/registry.h"
#include "conformance/interface/assay_port.h"

namespace assay::conformance {

// `port` outlives the entry and everything made by it. Throws Error for another ABI version and for
// a table that lacks a name, a class or one of create, destroy, capabilities, load and run.
ImplementationEntry entry_of_port(const assay_port& port);

class ExportedPort {
 public:
  explicit ExportedPort(ImplementationEntry entry);
  ExportedPort(const ExportedPort&) = delete;
  ExportedPort& operator=(const ExportedPort&) = delete;
  ~ExportedPort();

  // Lives as long as this.
  const assay_port& port() const;

  struct Impl;  // what the functions of the table find in its context

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace assay::conformance
