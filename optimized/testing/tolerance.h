// SPDX-License-Identifier: Apache-2.0
// For tests: what errors of kernels came to, in units of the bound that each is held to.
//
//   noted error = |got - expected| / bound          1 is the most that passes; 0: equal
//
// `bound` is computed from the operands (test_numbers.h; each test says how), never fitted. With
// ASSAY_TOLERANCE=FILE the largest error of each kernel, type and target is written when the tests
// end, one line each: kernel, type, target, error, values. scripts/bench/tolerance_report.py makes
// the page from it.  Spec: tolerance 11.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>

#include "optimized/device/features.h"

namespace assay {

// Of the kernel on the target in use; names without tabs. NaN counts as infinite.
void note_error(const std::string& kernel, const std::string& type, const std::string& target,
                double error, std::size_t values = 1);

namespace cpu {

// Expects off <= bound of a kernel in f32, and notes it. A bound of 0 asks for the very number.
inline void expect_within(const char* kernel, double off, double bound) {
  EXPECT_LE(off, bound) << kernel;
  note_error(kernel, "f32", target(), off == 0 ? 0 : off / bound);
}

}  // namespace cpu
}  // namespace assay
