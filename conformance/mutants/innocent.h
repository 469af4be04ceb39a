// SPDX-License-Identifier: Apache-2.0
// The innocence set: programs that are right and compute otherwise.
//
// As a mutant rewrites a tap by a wrong formula, an innocent variant rewrites every tap of the text
// model by a right one, in fp32, whose roundings fall elsewhere (arithmetic.h). Or another program
// runs: the CPU engine on some instruction set and number of threads, or the float build, which
// takes its products from BLAS, in chunks of the prompt. None of them may be refused.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/mutants/arithmetic.h"
#include "conformance/mutants/mutant.h"

namespace assay::conformance {

struct Innocent {
  Mutant variant;  // its rewrites; none where only the run differs
  RunOptions run;
  std::string engine;  // another implementation of the registry; empty: the float build
  std::string target;  // its instruction set; empty: the best
  int threads = 1;
  std::vector<std::string> kinds;  // "pairwise sums", "fused multiply-adds", "exp by a polynomial"

  std::string what() const;  // the kinds in one line
};

// Drawn by the seed, the same on every machine.
Innocent innocent_variant(std::uint64_t seed);

// Every tap of a text run by this arithmetic. Fused: the scores, probabilities and what a program
// of fused kernels keeps in registers are not shown, and an online softmax goes on to the values.
Mutant honest_rewrites(const Arithmetic& arithmetic, bool fused);

}  // namespace assay::conformance
