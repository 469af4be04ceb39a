// SPDX-License-Identifier: Apache-2.0
// Super-blocks of 256 elements of the K types, 16 rows interleaved.
//
//   q4_K  { f16 d[16]; f16 dmin[16]; u8 sc[8][16]; u8 mn[8][16]; u8 qs[32][16][4] }
//                                                    2368 bytes, 2304 in the file
//   q5_K  the same, but u8 qh[8][16][4] before qs    2880,       2816
//   q6_K  { f16 d[16]; i8 sc[16][16]; { u8 ql[16][16][4]; u8 qh[8][16][4] }[2] }
//                                                    3360,       3360
//
// What is read together lies together, for memory is read fastest in order. k_codes_of() says where
// the codes of a sub-block are.
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

// The codes of sub-block j. Word g of eight has in each byte
//
//   (low[low + g] >> low_shift & 15) | (high[high + g] >> high_shift & high_mask) << 4
//
// with low[] and high[] the words from those places on.
struct KCodes {
  std::size_t low;
  unsigned low_shift;
  std::size_t high;
  unsigned high_shift;
  unsigned high_mask;  // 0: four bits are all
};

constexpr std::size_t kHalfWords = 24;  // of q6_K, from one half to the next

constexpr KCodes k_codes_of(KType type, std::size_t j) {
  const auto n = static_cast<unsigned>(j);
  if (type == KType::kQ6) {
    const std::size_t half = kHalfWords * (j / 4);
    return {half + 8 * (j % 2), n % 4 / 2 * 4, half, n % 4 * 2, 3};
  }
  return {8 * (j / 2), n % 2 * 4, 0, n, type == KType::kQ5 ? 1U : 0U};
}

// Which K type a stored type is; none: another.
std::optional<KType> k_type(DType stored);

// Fills a tile, whose bytes are zero, from `count` rows of `columns` elements, `row_bytes` apart.
void pack_k_tile(KType type, const std::byte* rows, std::size_t row_bytes, std::size_t count,
                 std::size_t columns, std::byte* to);

// Row r of a tile as floats, exactly.
void unpack_k_row(KType type, const std::byte* tile, std::size_t r, std::size_t columns,
                  float* out);

}  // namespace assay::cpu
