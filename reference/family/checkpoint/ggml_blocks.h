// SPDX-License-Identifier: Apache-2.0
// The block formats of ggml: what GGUF files quantise weights to.
//
// A block covers 32, 64 or 256 consecutive elements of a row; d, m and dmin are fp16 scales, little
// endian. lo and hi are the low and high four bits of a byte, b5 a fifth bit from elsewhere.
//
//            elements  bytes  layout                              element
//   Q8_0        32       34   d  q[32]                            d q
//   Q4_0        32       18   d  qs[16]                           d (lo - 8)        elements 0 to
//   15
//                                                                 d (hi - 8)        elements 16 to
//                                                                 31
//   Q4_1        32       20   d m  qs[16]                         d lo + m, d hi + m
//   Q5_0        32       22   d  qh[4]  qs[16]                    d (lo + 16 b5 - 16), …
//   Q5_1        32       24   d m  qh[4]  qs[16]                  d (lo + 16 b5) + m, …
//   IQ4_NL      32       18   d  qs[16]                           d C[lo], d C[hi]
//   MXFP4       32       17   e  qs[16]                           2^(e - 128) E[lo], …
//   NVFP4       64       36   s[4]  qs[32]                        s[i / 16] E[..] / 2
//   Q4_K       256      144   d dmin  scales[12]  qs[128]         d sc q - dmin mn
//   Q5_K       256      176   d dmin  scales[12]  qh[32]  qs[128] d sc (q + 16 b5) - dmin mn
//   Q6_K       256      210   ql[128]  qh[64]  sc[16]  d          d sc (q - 32)
//
// C is a codebook of 16 bytes; E is twice the E2M1 numbers 0, .5, 1, 1.5, 2, 3, 4, 6 and their
// negatives; s is E4M3 without a sign, its codes 0 and 0x7F are 0. A per-tensor scale that goes
// with an NVFP4 tensor is a tensor of its own.
//
// Exactness. An fp16 number has 11 significant bits, so each product fits in an fp32, and each sum
// in an fp64: as double an element is the exact value of its formula. As float it is that value,
// rounded once, which is what ggml's fp32 arithmetic gives: only Q4_1, Q5_1, Q4_K and Q5_K, which
// add, are rounded at all. Scales that are infinite or NaN give elements that are; whoever reads
// weights checks for them.
//
// Quantisers are those that ggml calls its reference, in fp32:
//   Q8_0   d = max |x| / 127          q = round(x (1/d)), halves away from zero
//   Q4_0   d = x* / -8                q = min(15, trunc(x (1/d) + 8.5)); x* is the first element of
//                                     the largest magnitude, with its sign
//   with the d before it is rounded to fp16; q is that of 0 where d is 0, and 0 where 1/d
//   overflows.
//
// Mistakes: P59, P60, P61. Source: ggml, ggml-quants.c and ggml-common.h; the Python package gguf.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace assay {

// The formats by their number in a GGUF file.
enum class GgmlBlock : int {
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ4K = 12,
  kQ5K = 13,
  kQ6K = 14,
  kIq4Nl = 20,
  kMxfp4 = 39,
  kNvfp4 = 40,
};

// `count` elements, in whole blocks that begin at `bytes` (any alignment). Real: float or double.
template <GgmlBlock kBlock, class Real>
void widen_ggml(const std::byte* bytes, std::size_t count, Real* out);

// The scale and the minimum of sub-block k of Q4_K and Q5_K, six bits each. Bytes 0 to 3 and 4 to 7
// have those of the first four, and in their upper two bits the upper bits of the others, whose
// lower four are in bytes 8 to 11.
std::pair<int, int> k_scale_and_minimum(const std::uint8_t* scales, int k);

// The reference quantisers: `count` finite values, in whole blocks.
void store_q8_0(const float* values, std::size_t count, std::byte* out);
void store_q4_0(const float* values, std::size_t count, std::byte* out);

// What ggml calls type `number`, read here or not, past ones included: "Q2_K"; the number where it
// has no name.
std::string ggml_type_name(std::uint32_t number);

}  // namespace assay
