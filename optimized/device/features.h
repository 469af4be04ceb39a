// SPDX-License-Identifier: Apache-2.0
// The instruction sets that kernels are chosen by.
//
// Highway compiles a kernel for each of its targets and takes the best that the machine has. What
// it lacks (dot products of int8 and bf16) is chosen by the features below, on top of the target
// that needs them. use_target() restricts both: tests and `--target` run a lesser one.
#pragma once

#include <string>
#include <vector>

namespace assay::cpu {

struct Features {
  bool neon_dotprod = false;
  bool avx2 = false;         // with FMA and F16C
  bool avx_vnni = false;     // beside AVX2: the instructions of 256 bits
  bool avx512_vnni = false;  // with F, BW, VL, DQ
  bool avx512_bf16 = false;
  // A dot product of bf16 does more than FMAs of f32 do in its time: true of AMD's Zen 4, while
  // Intel's Sapphire Rapids takes four times as long for one (kernel_bench measures both).
  bool fast_bf16_dot = false;

  // Whether kernels multiply int8 by instructions made for it, one digit or three.
  bool int8_dot() const { return avx512_vnni || avx_vnni || avx2 || neon_dotprod; }
};

// Of this machine, as far as the target in use allows.
Features features();

// Names that use_target() takes, best first: "avx512-bf16", "avx512-vnni", "avx3", "avx-vnni",
// "avx2", …; "neon-dotprod", "neon".
std::vector<std::string> targets();

// Names of all that this program holds code for: those of targets(), and those that this machine
// has not.
std::vector<std::string> compiled_targets();

// From now on nothing above `name` is used, in any thread; "" is the best. Throws Error for a name
// that this machine has not. Not while kernels run.
void use_target(const std::string& name);

// What is used now.
std::string target();

// "avx2 avx512f avx512_vnni …": what the machine has of what matters here, for result files.
std::string machine_features();

}  // namespace assay::cpu
