// SPDX-License-Identifier: Apache-2.0
// A weight stored as small codes and scales, dequantised where it is read.
//
//   w[r,c] = value[code[r,c]] * s[r div R, c div C] * g
//
// A row's codes of 2, 4 or 8 bits follow each other, the first in the lowest bits of the first
// byte; a row begins a byte. `value` is the code's number: an integer less its offset, E2M1, E4M3,
// E5M2. One scale serves R rows and C columns; g, the scale of the whole tensor, is 1 where there
// is none, and 1/g where the form divides by it: then s/g is taken first.
//
// The product is exact in fp64 for every form but a divided one, and rounded once for fp32.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "reference/family/checkpoint/tensor_parts.h"
#include "reference/family/checkpoint/weight_source.h"

namespace assay {

using CodeValues = std::array<double, 256>;

// Two's complement, less nothing: 0 … 127, -128 … -1.
CodeValues signed_bytes();
// 0 … 2^bits - 1, less 2^(bits - 1).
CodeValues offset_integers(unsigned bits);
CodeValues e2m1_values();
CodeValues e4m3_values();
CodeValues e5m2_values();

struct QuantisedLayout {
  std::string name;                // for messages: "int4 of compressed-tensors"
  std::vector<std::size_t> shape;  // of the weight, [rows, columns] or [experts, rows, columns]
  TensorPart codes;
  unsigned bits = 8;
  CodeValues values{};

  TensorPart scales;  // widened; bytes that are powers of two where scales_are_exponents
  bool scales_are_exponents = false;
  std::size_t rows_per_scale = 1;
  std::size_t columns_per_scale = 1;

  double multiplied = 1;  // g, or one of the two
  double divided = 1;
};

// Throws where the codes do not hold rows of the shape, or the scales do not cover it.
std::unique_ptr<WeightSource> quantised_weight(QuantisedLayout layout);

}  // namespace assay
