// SPDX-License-Identifier: Apache-2.0
#include "optimized/packing/non_finite.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "reference/family/checkpoint/ggml_blocks.h"

namespace assay::cpu {
namespace {

// Where the f16 scales of a block stand.
struct ScalePlaces {
  std::size_t count = 0;
  std::size_t at[2] = {};
};

ScalePlaces scale_places(int ggml_type) {
  switch (static_cast<GgmlBlock>(ggml_type)) {
    case GgmlBlock::kQ8_0:
    case GgmlBlock::kQ4_0:
    case GgmlBlock::kQ5_0:
    case GgmlBlock::kIq4Nl:
      return {1, {0}};
    case GgmlBlock::kQ4_1:
    case GgmlBlock::kQ5_1:
    case GgmlBlock::kQ4K:
    case GgmlBlock::kQ5K:
      return {2, {0, 2}};
    case GgmlBlock::kQ6K:
      return {1, {208}};
    case GgmlBlock::kMxfp4:
    case GgmlBlock::kNvfp4:
      break;
  }
  return {};
}

// Two values at a time: an exponent of ones and one more carries into the bit of the sign.
bool bf16_may_be(std::span<const std::byte> bytes) {
  std::uint32_t carries = 0;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    std::uint32_t pair = 0;
    std::memcpy(&pair, bytes.data() + at, 4);
    carries |= (pair & 0x7F807F80U) + 0x00800080U;
  }
  if (at < bytes.size()) {
    std::uint16_t last = 0;
    std::memcpy(&last, bytes.data() + at, 2);
    carries |= (last & 0x7F80U) + 0x0080U;
  }
  return (carries & 0x80008000U) != 0;
}

bool scales_may_be(const DTypeInfo& info, const ScalePlaces& places,
                   std::span<const std::byte> bytes) {
  std::uint32_t carries = 0;
  for (std::size_t block = 0; block < bytes.size(); block += info.block_bytes) {
    for (std::size_t i = 0; i < places.count; ++i) {
      std::uint16_t scale = 0;
      std::memcpy(&scale, bytes.data() + block + places.at[i], 2);
      carries |= (scale & 0x7C00U) + 0x0400U;
    }
  }
  return (carries & 0x8000U) != 0;
}

}  // namespace

bool may_be_non_finite(DType stored, std::span<const std::byte> bytes) {
  const DTypeInfo& info = stored.info();
  if (stored == DType::kBf16) {
    return bf16_may_be(bytes);
  }
  const ScalePlaces places = scale_places(info.ggml_type);
  if (places.count > 0) {
    return scales_may_be(info, places, bytes);
  }
  if (info.ggml_type == static_cast<int>(GgmlBlock::kNvfp4)) {
    return false;  // its scales have no such codes
  }
  if (info.ggml_type == static_cast<int>(GgmlBlock::kMxfp4)) {
    for (std::size_t block = 0; block < bytes.size(); block += info.block_bytes) {
      if (std::to_integer<int>(bytes[block]) >= 253) {
        return true;
      }
    }
    return false;
  }
  return true;
}

}  // namespace assay::cpu
