// SPDX-License-Identifier: Apache-2.0
// What the shared library of the CUDA engine gives to the program that loads it.
//
// Both are built from the same headers by the same compiler, and the library takes what is no
// arithmetic of a device (checkpoints, calls, taps) from the program: it is a part of it that is
// loaded late, not a port by the C ABI.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "conformance/interface/implementation.h"
#include "conformance/interface/session.h"

namespace assay::conformance {

struct CudaLibrary {
  std::string executed_on;  // "host twin", or the name of the device; empty: there is none
  std::string reason;       // why there is none
  std::function<std::unique_ptr<Implementation>(const std::string& precision)> make;
  // Throws Error for a request that the engine cannot serve.
  std::function<std::unique_ptr<Session>(const std::string& precision,
                                         const SessionRequest& request)>
      make_session;
};

// The name of the function that a library exports, and its type.
inline constexpr const char* kCudaLibraryFunction = "assay_cuda_library";
using CudaLibraryFunction = const CudaLibrary& (*)();

}  // namespace assay::conformance
