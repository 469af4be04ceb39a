// SPDX-License-Identifier: Apache-2.0
// Super-blocks of 256 elements of the K types, 16 rows interleaved.
//
//   q4_K  { f16 d[16]; f16 dmin[16]; u8 sc[8][16]; u8 mn[8][16]; u8 qs[32][16][4] }
//                                                    2368 bytes, 2304 in the file
//   q5_K  the same, but u8 qh[8][16][4] before qs    2880,       2816
//   q6_K  { f16 d[16]; i8 sc[16][16]; { u8 ql[16][16][4]; u8 qh[8][16][4] }[2] }
//                                                    3360,       3360
//
// What is read together lies together, for memory is read fastest in order. Word g of sub-block j
// is, in each byte,
//
//   q4_K  qs[8 (j/2) + g] >> 4 (j mod 2) & 15
//   q5_K  that | (qh[g] >> j & 1) << 4
//   q6_K  of half j/4:  (ql[8 (j mod 2) + g] >> 4 (j mod 4 / 2) & 15)
//                       | (qh[g] >> 2 (j mod 4) & 3) << 4
//
// Element l of sub-block j is d sc[j] code - dmin mn[j], and for q6_K d sc[2 j + l/16] (code - 32).
// The six bits of sc and mn are taken out of the file's twelve bytes.  Source: ggml_blocks.h.
#pragma once

#include <cstddef>
#include <optional>

#include "reference/family/checkpoint/dtype.h"

namespace assay::cpu {

constexpr std::size_t kSuperBlock = 256;

enum class KType { kQ4, kQ5, kQ6 };

// Where the parts of a super-block lie; bytes.
struct KPlaces {
  std::size_t minimum;  // dmin; of q6_K none
  std::size_t scales;
  std::size_t minima;
  std::size_t low;   // qs, ql
  std::size_t high;  // qh
  std::size_t bytes;
};

constexpr KPlaces k_places(KType type) {
  constexpr std::size_t kWord = 64;  // of 16 rows
  switch (type) {
    case KType::kQ4:
      return {32, 64, 192, 320, 0, 320 + 32 * kWord};
    case KType::kQ5:
      return {32, 64, 192, 320 + 8 * kWord, 320, 320 + 40 * kWord};
    case KType::kQ6:
      break;
  }
  return {0, 32, 0, 288, 288 + 16 * kWord, 288 + 48 * kWord};
}
constexpr std::size_t kHalfWords = 24;  // of q6_K, from one half to the next

// Which K type a stored type is; none: another.
std::optional<KType> k_type(DType stored);

// Fills a tile, whose bytes are zero, from `count` rows of `columns` elements, `row_bytes` apart.
void pack_k_tile(KType type, const std::byte* rows, std::size_t row_bytes, std::size_t count,
                 std::size_t columns, std::byte* to);

// Row r of a tile as floats, exactly.
void unpack_k_row(KType type, const std::byte* tile, std::size_t r, std::size_t columns,
                  float* out);

}  // namespace assay::cpu
