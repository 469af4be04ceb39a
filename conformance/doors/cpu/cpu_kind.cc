// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/cpu/cpu_kind.h"

#include <atomic>

namespace assay::conformance {
namespace {

std::atomic<int> threads_of_engines{1};

cpu::Arithmetic arithmetic_of(const std::string& precision) {
  if (precision == "bf16") {
    return cpu::Arithmetic::kBf16;
  }
  return precision == "int8" ? cpu::Arithmetic::kInt8 : cpu::Arithmetic::kF32;
}

}  // namespace

void use_cpu_threads(int threads) {
  threads_of_engines = threads;
}

cpu::Threads CpuKind::make_runner() {
  return cpu::Threads(threads_of_engines);
}

cpu::Options CpuKind::options_of(const std::string& precision) {
  cpu::Options options;
  options.arithmetic = arithmetic_of(precision);
  return options;
}

}  // namespace assay::conformance
