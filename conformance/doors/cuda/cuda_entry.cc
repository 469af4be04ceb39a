// SPDX-License-Identifier: Apache-2.0
// The CUDA engine in the registry: its shared library is loaded when it is asked for first.
//
// libassay_cuda.so runs on a device. With ASSAY_CUDA_HOST=1 it is libassay_cuda_host.so, the same
// engine and kernels on the CPU. Both lie beside the program or in the folder of its build. Without
// library or device nothing is supported, and the status says why.
#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "conformance/doors/cuda/cuda_library.h"
#include "conformance/doors/engine/engine_tokens.h"
#include "conformance/doors/registry.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

struct Loaded {
  const CudaLibrary* library = nullptr;
  std::string reason;  // why it is null
};

bool on_host() {
  const char* const asked = std::getenv("ASSAY_CUDA_HOST");
  return asked != nullptr && std::string(asked) == "1";
}

// Beside the program first.
std::filesystem::path place_of(const std::string& name) {
  std::error_code none;
  const auto beside = std::filesystem::read_symlink("/proc/self/exe", none).parent_path() / name;
  return std::filesystem::exists(beside) ? beside
                                         : std::filesystem::path(ASSAY_CUDA_LIBRARIES) / name;
}

Loaded load_library(const std::string& name) {
  const auto path = place_of(name);
  if (!std::filesystem::exists(path)) {
    return {nullptr, "cuda: got no " + name +
                         " beside the program, expected one (ASSAY_CUDA_HOST=1 runs the kernels "
                         "on the CPU)"};
  }
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return {nullptr, std::string("cuda: ") + dlerror()};
  }
  const auto function = reinterpret_cast<CudaLibraryFunction>(dlsym(handle, kCudaLibraryFunction));
  if (function == nullptr) {
    return {nullptr, path.string() + ": got no " + kCudaLibraryFunction + ", expected it"};
  }
  const CudaLibrary& library = function();
  if (library.executed_on.empty()) {
    return {nullptr, "cuda: got no device (" + library.reason +
                         "), expected one; ASSAY_CUDA_HOST=1 runs the kernels on the CPU"};
  }
  return {&library, ""};
}

// Loaded once, of each kind.
const Loaded& cuda_library() {
  if (on_host()) {
    static const Loaded host = load_library("libassay_cuda_host.so");
    return host;
  }
  static const Loaded device = load_library("libassay_cuda.so");
  return device;
}

// Stands where the engine would.
class AbsentCuda : public Implementation {
 public:
  AbsentCuda(std::string precision, std::string reason)
      : precision_(std::move(precision)), reason_(std::move(reason)) {}

  Capabilities capabilities() const override {
    Capabilities can;
    can.name = "cuda";
    can.precision = precision_;
    return can;
  }
  Status load(const std::string&, const std::string&) override {
    return {StatusCode::kNotSupported, reason_};
  }
  Status run(const CaseInput&, const RunOptions&, TapListener&) override {
    return {StatusCode::kNotSupported, reason_};
  }

 private:
  std::string precision_;
  std::string reason_;
};

std::unique_ptr<Implementation> make_cuda(const std::string& precision) {
  const Loaded& loaded = cuda_library();
  if (loaded.library == nullptr) {
    return std::make_unique<AbsentCuda>(precision, loaded.reason);
  }
  return loaded.library->make(precision);
}

std::unique_ptr<Session> make_cuda_session(const std::string& precision,
                                           const SessionRequest& request) {
  const Loaded& loaded = cuda_library();
  if (loaded.library == nullptr) {
    throw Error(loaded.reason);
  }
  return loaded.library->make_session(precision, request);
}

std::vector<std::string> distinct_cuda_precisions(const std::string& checkpoint) {
  auto names = distinct_engine_precisions(checkpoint);
  std::erase(names, "int8");
  return names;
}

ImplementationEntry cuda_entry() {
  ImplementationEntry entry;
  entry.name = "cuda";
  entry.precisions = {"f32", "bf16"};
  entry.make = make_cuda;
  entry.make_session = make_cuda_session;
  entry.distinct_precisions = distinct_cuda_precisions;
  entry.unavailable = [] { return cuda_library().reason; };
  return entry;
}

[[maybe_unused]] const bool kRegistered = register_implementation(cuda_entry());

}  // namespace
}  // namespace assay::conformance
