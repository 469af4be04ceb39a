// SPDX-License-Identifier: Apache-2.0
// Loops that do one thing as fast as the machine can; probes.h times them.
#pragma once

#include <cstddef>

namespace assay::cpu {

struct Loop {
  void (*run)() = nullptr;  // null: not on this kind of machine
  double operations = 0;    // of one run
};

Loop fma_loop();       // any machine
Loop bf16_dot_loop();  // AVX-512 BF16
Loop vnni_loop();      // AVX-512 VNNI
Loop avx_vnni_loop();  // AVX-VNNI
Loop maddubs_loop();   // AVX2: vpmaddubsw, vpmaddwd, vpaddd

// Reads every byte; `bytes` is a multiple of 4096.
void read_all(const std::byte* memory, std::size_t bytes);

}  // namespace assay::cpu
