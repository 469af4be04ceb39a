// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/input_rounding.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/dtype.h"

namespace assay {
namespace {

constexpr float kMostSteps = 127;
constexpr std::size_t kShortBlock = 32;
constexpr std::size_t kLongBlock = 256;
constexpr float kHalfWay = 4 * 0x1p-24f;

float rounded(float steps, HalfWay half_way) {
  const float below = std::floor(steps);
  const float distance = std::abs(steps - below - 0.5f);
  if (half_way != HalfWay::kEven && distance <= kHalfWay * kMostSteps) {
    return half_way == HalfWay::kUp ? below + 1 : below;
  }
  return std::nearbyint(steps);
}

template <class Real>
float value_of_largest_magnitude(const Real* block, std::size_t count) {
  const Real* largest = std::max_element(block, block + count,
                                         [](Real a, Real b) { return std::abs(a) < std::abs(b); });
  return static_cast<float>(*largest);
}

float through_f16(float value) {
  return float_from_f16(f16_from_float(value));
}

// R(value), where what lies within kHalfWay of the middle of two numbers goes up or down.
float through(float (*round)(float), float value, HalfWay half_way) {
  const float side = half_way == HalfWay::kUp ? 1.0f : half_way == HalfWay::kDown ? -1.0f : 0.0f;
  return round(value * (1 + side * kHalfWay));
}

template <class Real>
void round_each(float (*round)(float), HalfWay half_way, Real* row, std::size_t count) {
  std::transform(row, row + count, row,
                 [&](Real value) { return through(round, static_cast<float>(value), half_way); });
}

template <class Real>
void round_blocks_32(HalfWay half_way, Real* block, std::size_t count) {
  const float largest = std::abs(value_of_largest_magnitude(block, count));
  const float scale = through(through_f16, largest / kMostSteps, half_way);
  const float inverse = largest == 0 ? 0 : kMostSteps / largest;
  for (std::size_t i = 0; i < count; ++i) {
    block[i] = scale * rounded(static_cast<float>(block[i]) * inverse, half_way);
  }
}

template <class Real>
float sum_error(HalfWay half_way, const Real* block, std::size_t count) {
  const float largest = std::abs(value_of_largest_magnitude(block, count));
  const float scale = largest / kMostSteps;
  const float inverse = largest == 0 ? 0 : kMostSteps / largest;
  float sum = 0;  // of integers: exact
  for (std::size_t i = 0; i < count; ++i) {
    sum += rounded(static_cast<float>(block[i]) * inverse, half_way);
  }
  return through_f16(scale * sum) - through(through_f16, scale, half_way) * sum;
}

template <class Real>
void round_blocks_256(HalfWay half_way, Real* block, std::size_t count) {
  const float largest = value_of_largest_magnitude(block, count);
  const float inverse = largest == 0 ? 0 : -kMostSteps / largest;
  const float scale = largest == 0 ? 0 : 1 / inverse;
  for (std::size_t i = 0; i < count; ++i) {
    const float steps = rounded(inverse * static_cast<float>(block[i]), half_way);
    block[i] = scale * (steps > kMostSteps ? kMostSteps : steps);  // NaN stays NaN
  }
}

template <class Real, class RoundBlock>
void for_each_block(Real* row, std::size_t count, std::size_t length, RoundBlock round_block) {
  assert(count % length == 0);
  for (std::size_t first = 0; first + length <= count; first += length) {
    round_block(row + first, length);
  }
}

}  // namespace

InputRounding input_rounding(DType weight) {
  if (weight == DType::kF16 || weight == DType::kBf16) {
    return weight == DType::kF16 ? InputRounding::kF16 : InputRounding::kBf16;
  }
  const DTypeInfo& info = weight.info();
  if (info.block_elements == 1 || info.ggml_type < 0) {
    return InputRounding::kNone;
  }
  return info.block_elements == kLongBlock ? InputRounding::kBlocks256 : InputRounding::kBlocks32;
}

std::optional<std::size_t> rounded_minimum(DType weight) {
  constexpr std::size_t kAfterTheScale = 2;
  const bool rounded = dtype_name(weight) == "Q4_1" || dtype_name(weight) == "Q5_1";
  return rounded ? std::optional(kAfterTheScale) : std::nullopt;
}

template <class Real>
void round_input(InputRounding rounding, HalfWay half_way, Real* row, std::size_t count) {
  switch (rounding) {
    case InputRounding::kNone:
      return;
    case InputRounding::kF16:
      return round_each(through_f16, half_way, row, count);
    case InputRounding::kBf16:
      return round_each(round_to_bf16, half_way, row, count);
    case InputRounding::kBlocks32:
      return for_each_block(row, count, kShortBlock, [&](Real* block, std::size_t length) {
        round_blocks_32(half_way, block, length);
      });
    case InputRounding::kBlocks256:
      return for_each_block(row, count, kLongBlock, [&](Real* block, std::size_t length) {
        round_blocks_256(half_way, block, length);
      });
  }
}

template <class Real>
void block_sum_errors(HalfWay half_way, const Real* row, std::size_t count, Real* out) {
  for (std::size_t block = 0; block < count / kShortBlock; ++block) {
    out[block] = sum_error(half_way, row + block * kShortBlock, kShortBlock);
  }
}

template void block_sum_errors<float>(HalfWay, const float*, std::size_t, float*);
template void block_sum_errors<double>(HalfWay, const double*, std::size_t, double*);
template void round_input<float>(InputRounding, HalfWay, float*, std::size_t);
template void round_input<double>(InputRounding, HalfWay, double*, std::size_t);

}  // namespace assay
