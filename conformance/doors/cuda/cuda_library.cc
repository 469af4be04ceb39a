// SPDX-License-Identifier: Apache-2.0
// What libassay_cuda.so and libassay_cuda_host.so export.
#include "conformance/doors/cuda/cuda_library.h"

#include "conformance/doors/cuda/cuda_adapter.h"
#include "optimized/device/cuda/stream.h"

extern "C" __attribute__((visibility("default"))) const assay::conformance::CudaLibrary&
assay_cuda_library() {
  namespace conformance = assay::conformance;
  static const conformance::CudaLibrary library{
      conformance::cuda_executed_on(), assay::cuda::device_facts().reason,
      conformance::make_cuda_engine, conformance::make_cuda_engine_session};
  return library;
}
