// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/cpu/cpu_adapter.h"

#include "conformance/doors/cpu/cpu_kind.h"
#include "conformance/doors/engine/engine_adapter.h"

namespace assay::conformance {

std::unique_ptr<Implementation> make_cpu(const std::string& precision) {
  return std::make_unique<EngineAdapter<CpuKind>>(precision);
}

}  // namespace assay::conformance
