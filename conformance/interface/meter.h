// SPDX-License-Identifier: Apache-2.0
// What a session tells of its work, for benchmarks: what the machine can do, and what it was asked
// to do.
#pragma once

#include <string>

namespace assay::conformance {

// Operations a second from registers, a multiply-add counts two; 0: it has no such instruction.
struct MachineRates {
  std::string features;  // "avx2 avx512f avx512_vnni"
  int threads = 1;
  double fma = 0;
  double bf16_dot = 0;
  double int8_dot = 0;
};

struct ModelFacts {
  std::string weights;      // "q8_0": the type of most of its bytes
  double weight_bytes = 0;  // packed
  double huge_share = 0;    // of them, in huge pages
  double cache_bytes = 0;
};

// Of the products, by the instruction that they are made of, and what they read.
struct Work {
  double fma = 0;
  double bf16_dot = 0;
  double int8_dot = 0;
  double bytes = 0;  // weights, and keys and values of caches
};

class Meter {
 public:
  virtual ~Meter() = default;
  virtual MachineRates machine() = 0;  // measures
  virtual double read_rate() = 0;      // bytes a second, measured on the weights, now
  virtual ModelFacts facts() const = 0;
  virtual Work take_work() = 0;  // since the last call
};

}  // namespace assay::conformance
