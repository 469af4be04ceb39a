// SPDX-License-Identifier: Apache-2.0
// The CPU engine in the registry.
#include "conformance/doors/cpu/cpu_adapter.h"
#include "conformance/doors/cpu/cpu_kind.h"
#include "conformance/doors/engine/engine_tokens.h"
#include "conformance/doors/registry.h"
#include "optimized/device/features.h"

namespace assay::conformance {
namespace {

ImplementationEntry cpu_entry() {
  ImplementationEntry entry;
  entry.name = "cpu";
  entry.precisions = {"f32", "bf16", "int8"};
  entry.make = make_cpu;
  entry.make_session = make_cpu_session;
  entry.use_threads = use_cpu_threads;
  entry.use_target = cpu::use_target;
  entry.distinct_precisions = distinct_engine_precisions;
  return entry;
}

[[maybe_unused]] const bool kRegistered = register_implementation(cpu_entry());

}  // namespace
}  // namespace assay::conformance
