// SPDX-License-Identifier: Apache-2.0
// What a kernel file includes. nvcc makes code of a device from it; any other compiler makes code
// that runs on the CPU, in the executor of executor.h.
//
// A kernel file keeps to the part of CUDA C++ that host_cuda.h has, and writes
//   SIMT_SHARED(float, sums, [4][32]);     for  __shared__ float sums[4][32];
//   SIMT_DYN_SHARED(float, rows);          for  extern __shared__ float rows[];
//   SIMT_LAUNCH(stream, grid, block, bytes, kernel, arguments...);   for
//   kernel<<<...>>>(arguments...)
// What only the assembler of a device knows has a name in copy.h, mma.h, hopper.h and wgmma.h.
#pragma once

#include <cstddef>

#include "optimized/device/cuda/stream.h"

#ifdef __CUDACC__

#include <cuda_bf16.h>

#define SIMT_SHARED(T, name, dims) __shared__ T name dims
#define SIMT_DYN_SHARED(T, name)                                  \
  extern __shared__ __align__(128) unsigned char simt_dynamic_[]; \
  T* name = reinterpret_cast<T*>(simt_dynamic_)

namespace assay::simt {

// Throws Error with the name of the call when the runtime refuses (stream_cuda.cu).
void check_cuda(int status, const char* call);

template <class... P, class... A>
void launch(const char*, cuda::Stream& stream, dim3 grid, dim3 block, std::size_t shared,
            void (*kernel)(P...), A&&... arguments) {
  if (shared > 48 * 1024) {
    check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(shared)),
               "cudaFuncSetAttribute");
  }
  kernel<<<grid, block, shared, static_cast<cudaStream_t>(stream.handle())>>>(
      static_cast<P>(arguments)...);
  check_cuda(cudaGetLastError(), "launch");
}

}  // namespace assay::simt

#else

#include "optimized/device/cuda/host_cuda.h"

namespace assay::simt {

template <class... P, class... A>
void launch(const char* name, cuda::Stream& stream, dim3 grid, dim3 block, std::size_t shared,
            void (*kernel)(P...), A&&... arguments) {
  const std::tuple<std::remove_cv_t<P>...> values(static_cast<P>(arguments)...);
  stream.submit([=] { run(name, grid, block, shared, [&] { std::apply(kernel, values); }); });
}

}  // namespace assay::simt

#endif

#define SIMT_TEXT2(x) #x
#define SIMT_TEXT(x) SIMT_TEXT2(x)
#define SIMT_HERE __FILE__ ":" SIMT_TEXT(__LINE__)
#define SIMT_LAUNCH(...) assay::simt::launch(SIMT_HERE, __VA_ARGS__)
