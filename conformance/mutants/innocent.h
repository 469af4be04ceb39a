// SPDX-License-Identifier: Apache-2.0
// The innocence set: programs that are right and compute otherwise.
//
// As a mutant rewrites a tap by a wrong formula, an innocent variant rewrites every tap of the text
// model by a right one, in fp32, whose roundings fall elsewhere: sums in another order, blocked,
// pairwise, shuffled or with a wide accumulator, fused multiply-adds, an online softmax, exp by
// powers of two, other forms of GELU, norms that multiply by a reciprocal, angles in fp32; or it
// feeds the prompt in chunks. None of them may be refused.
#pragma once

#include <cstdint>
#include <string>

#include "conformance/interface/implementation.h"
#include "conformance/mutants/mutant.h"

namespace assay::conformance {

struct Innocent {
  Mutant variant;  // its rewrites; none where only the run differs
  RunOptions run;
  std::string what;  // "sums pairwise, fused multiply-adds, exp by powers of two"
};

// Drawn by the seed, the same on every machine.
Innocent innocent_variant(std::uint64_t seed);

}  // namespace assay::conformance
