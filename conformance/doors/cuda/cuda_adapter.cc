// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/cuda/cuda_adapter.h"

#include "conformance/doors/cuda/cuda_kind.h"
#include "conformance/doors/engine/engine_adapter.h"
#include "conformance/doors/engine/engine_session.h"

namespace assay::conformance {

std::string cuda_executed_on() {
  const cuda::DeviceFacts facts = cuda::device_facts();
  return facts.is_host ? "host twin" : facts.name;
}

std::unique_ptr<Implementation> make_cuda_engine(const std::string& precision) {
  return std::make_unique<EngineAdapter<CudaKind>>(precision);
}

std::unique_ptr<Session> make_cuda_engine_session(const std::string& precision,
                                                  const SessionRequest& request) {
  return std::make_unique<EngineSession<CudaKind>>(precision, request);
}

}  // namespace assay::conformance
