// SPDX-License-Identifier: Apache-2.0
// How an honest fp32 program may compute: the orders of its sums, the forms of its functions.
//
// Every form is exact in real numbers and in use by somebody; what differs is where it rounds. Sums
// and products are fp32 throughout, but for kWide.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "conformance/mutants/formulas.h"

namespace assay::conformance {

using Floats = std::vector<float>;

// Of a sum of products. kLanes: eight partial sums, as a vector register has them; kTiles: blocks
// of 32 terms that are added to the result one after another, as matrix kernels do; kSplit: two
// halves, as two threads do; kWide: an fp64 accumulator.
enum class Order { kAscending, kDescending, kPairwise, kLanes, kShuffled, kTiles, kSplit, kWide };
constexpr std::size_t kOrders = 8;

// Of x / root * weight.
enum class NormForm { kDivided, kReciprocal, kWeightFirst, kFolded };  // (x w) / r, x (w / r)
constexpr std::size_t kNormForms = 4;

// exp(x); 2^(x log2 e); the same with the largest score folded into one multiply-add, as flash
// attention has it; a range reduction and a polynomial.
enum class ExpForm { kExp, kPowersOfTwo, kFolded, kPolynomial };
constexpr std::size_t kExpForms = 4;

// x/2 (1 + tanh z); x sigmoid(2 z); the same with z = x (a + b x^2); tanh by an exp.
enum class GeluForm32 { kTanh, kSigmoid, kFactored, kExpRatio };
constexpr std::size_t kGeluForms = 4;

// All keys at once; with a reciprocal of the sum; online in blocks of three keys; key by key.
enum class SoftmaxForm { kWhole, kReciprocal, kBlocks, kByKey };
constexpr std::size_t kSoftmaxForms = 4;

struct Arithmetic {
  Order order = Order::kAscending;
  // The last rows of a matrix, which fill no tile, go through another kernel (ascending sums).
  bool edge_rows = false;
  bool multiply_add = false;  // fused
  NormForm norm = NormForm::kDivided;
  ExpForm exp = ExpForm::kExp;
  GeluForm32 gelu = GeluForm32::kTanh;
  SoftmaxForm softmax = SoftmaxForm::kWhole;
  bool narrow_angles = false;     // fp32
  bool experts_by_index = false;  // and not by their weight, when they are added up

  // "lane sums, fused multiply-adds, …": what is not the plain way.
  std::vector<std::string> words() const;

  float add_product(float x, float y, float sum) const;
  float dot(const float* x, const float* y, std::size_t n) const;
  // Rows of x times the transposed matrix.
  Numbers product(std::span<const double> x, const Matrix& w) const;
  // Without a weight where it is empty.
  Numbers rms_norm(std::span<const double> x, std::size_t width, std::span<const double> weight,
                   double eps) const;
  float exponential(float x) const;
  float activated(float x) const;  // GELU
  // Of the visible scores of a row; 0 elsewhere.
  Floats softmax_row(std::span<const float> scores, const std::vector<char>& visible) const;
  // exp(x - largest).
  float shifted_exp(float x, float largest) const;
};

Floats narrowed(std::span<const double> x);

}  // namespace assay::conformance
