// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/ggml_blocks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>
#include <utility>

#include "reference/family/base/number_formats.h"

namespace assay {

std::pair<int, int> k_scale_and_minimum(const std::uint8_t* scales, int k) {
  const auto upper = [](std::uint8_t byte) { return byte >> 6 << 4; };
  if (k < 4) {
    return {scales[k] & 63, scales[k + 4] & 63};
  }
  return {(scales[k + 4] & 15) | upper(scales[k - 4]), scales[k + 4] >> 4 | upper(scales[k])};
}

namespace {

using Byte = std::uint8_t;

int lo(Byte byte) {
  return byte & 15;
}

int hi(Byte byte) {
  return byte >> 4;
}

template <class Real>
Real scale_at(const Byte* bytes) {
  return static_cast<Real>(float_from_f16(static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8)));
}

// 2 E2M1: the numbers whose halves MXFP4 and NVFP4 store.
constexpr std::array<int, 16> kTwiceE2m1 = {0, 1,  2,  3,  4,  6,  8,  12,
                                            0, -1, -2, -3, -4, -6, -8, -12};

constexpr std::array<int, 16> kIq4Nl = {-127, -104, -83, -65, -49, -35, -22, -10,
                                        1,    13,   25,  38,  53,  69,  89,  113};

// A block of 32: the low halves of 16 bytes, then their high halves.
template <class Real, class Element>
void widen_halves(const Byte* qs, Real* out, Element element) {
  for (int j = 0; j < 16; ++j) {
    out[j] = element(lo(qs[j]));
    out[j + 16] = element(hi(qs[j]));
  }
}

// The same with a fifth bit for each of the 32.
template <class Real, class Element>
void widen_halves_and_bits(const Byte* qh, const Byte* qs, Real* out, Element element) {
  const std::uint32_t bits = qh[0] | qh[1] << 8 | qh[2] << 16 | std::uint32_t{qh[3]} << 24;
  for (int j = 0; j < 16; ++j) {
    out[j] = element(lo(qs[j]) | static_cast<int>(bits >> j & 1) << 4);
    out[j + 16] = element(hi(qs[j]) | static_cast<int>(bits >> (j + 16) & 1) << 4);
  }
}

// Each format: its sizes, and one block.
template <GgmlBlock>
struct Block;

template <>
struct Block<GgmlBlock::kQ8_0> {
  static constexpr std::size_t kElements = 32, kBytes = 34;
  template <class Real>
  static void widen(const Byte* block, Real* out) {
    const auto d = scale_at<Real>(block);
    for (int j = 0; j < 32; ++j) {
      out[j] = static_cast<Real>(static_cast<std::int8_t>(block[2 + j])) * d;
    }
  }
};

template <>
struct Block<GgmlBlock::kQ4_0> {
  static constexpr std::size_t kElements = 32, kBytes = 18;
  template <class Real>
  static void widen(const Byte* block, Real* out) {
    const auto d = scale_at<Real>(block);
    widen_halves(block + 2, out, [d](int q) { return d * static_cast<Real>(q - 8); });
  }
};

template <>
struct Block<GgmlBlock::kQ4_1> {
  static constexpr std::size_t kElements = 32, kBytes = 20;
  template <class Real>
  static void widen(const Byte* block, Real* out) {
    const auto d = scale_at<Real>(block);
    const auto m = scale_at<Real>(block + 2);
    widen_halves(block + 4, out, [d, m](int q) { return d * static_cast<Real>(q) + m; });
  }
};

template <>
struct Block<GgmlBlock::kQ5_0> {
  static constexpr std::size_t kElements = 32, kBytes = 22;
  template <class Real>
  static void widen(const Byte* block, Real* out) {
    const auto d = scale_at<Real>(block);
    widen_halves_and_bits(block + 2, block + 6, out,
                          [d](int q) { return d * static_cast<Real>(q - 16); });
  }
};

template <>
struct Block<GgmlBlock::kQ5_1> {
  static constexpr std::size_t kElements = 32, kBytes = 24;
  template <class Real>
  static void widen(const Byte* block, Real* out) {
    const auto d = scale_at<Real>(block);
    const auto m = scale_at<Real>(block + 2);
    widen_halves_and_bits(block + 4, block + 8, out,
                          [d, m](int q) { return d * static_cast<Real>(q) + m; });
  }
};

template <>
struct Block<GgmlBlock::kIq4Nl> {
  static constexpr std::size_t kElements = 32, kBytes = 18;
  template <class Real>
  static void widen(const Byte* block, Real* out) {
    const auto d = scale_at<Real>(block);
    widen_halves(block + 2, out, [d](int q) { return d * static_cast<Real>(kIq4Nl[q]); });
  }
};

template <>
struct Block<GgmlBlock::kMxfp4> {
  static constexpr std::size_t kElements = 32, kBytes = 17;
  template <class Real>
  static void widen(const Byte* block, Real* out) {
    const Real half_scale = std::ldexp(Real{1}, block[0] - 128);
    widen_halves(block + 1, out,
                 [half_scale](int q) { return half_scale * static_cast<Real>(kTwiceE2m1[q]); });
  }
};

template <>
struct Block<GgmlBlock::kNvfp4> {
  static constexpr std::size_t kElements = 64, kBytes = 36;
  template <class Real>
  static void widen(const Byte* block, Real* out) {
    for (int part = 0; part < 4; ++part) {
      const Real half_scale = half_e4m3<Real>(block[part]);
      for (int j = 0; j < 8; ++j) {
        const Byte qs = block[4 + 8 * part + j];
        out[16 * part + j] = half_scale * static_cast<Real>(kTwiceE2m1[lo(qs)]);
        out[16 * part + j + 8] = half_scale * static_cast<Real>(kTwiceE2m1[hi(qs)]);
      }
    }
  }

 private:
  // Exponents have a bias of 7; the highest bit is not a sign and does not count.
  template <class Real>
  static Real half_e4m3(Byte code) {
    if (code == 0x7F) {
      return 0;
    }
    const int exponent = code >> 3 & 15;
    const int fraction = code & 7;
    return exponent == 0 ? std::ldexp(static_cast<Real>(fraction), -10)
                         : std::ldexp(static_cast<Real>(8 + fraction), exponent - 11);
  }
};

template <>
struct Block<GgmlBlock::kQ4K> {
  static constexpr std::size_t kElements = 256, kBytes = 144;
  template <class Real>
  static void widen(const Byte* block, Real* out) {
    const Byte* qs = block + 16;
    for (int k = 0; k < 8; ++k) {
      const auto [sc, mn] = k_scale_and_minimum(block + 4, k);
      const Real scale = scale_at<Real>(block) * static_cast<Real>(sc);
      const Real minimum = scale_at<Real>(block + 2) * static_cast<Real>(mn);
      for (int l = 0; l < 32; ++l) {
        const int q = qs[32 * (k / 2) + l] >> 4 * (k % 2) & 15;
        out[32 * k + l] = scale * static_cast<Real>(q) - minimum;
      }
    }
  }
};

template <>
struct Block<GgmlBlock::kQ5K> {
  static constexpr std::size_t kElements = 256, kBytes = 176;
  template <class Real>
  static void widen(const Byte* block, Real* out) {
    const Byte* qh = block + 16;
    const Byte* qs = block + 48;
    for (int k = 0; k < 8; ++k) {
      const auto [sc, mn] = k_scale_and_minimum(block + 4, k);
      const Real scale = scale_at<Real>(block) * static_cast<Real>(sc);
      const Real minimum = scale_at<Real>(block + 2) * static_cast<Real>(mn);
      for (int l = 0; l < 32; ++l) {
        const int q = (qs[32 * (k / 2) + l] >> 4 * (k % 2) & 15) | (qh[l] >> k & 1) << 4;
        out[32 * k + l] = scale * static_cast<Real>(q) - minimum;
      }
    }
  }
};

// Two halves of 128; in each, element 32 p + l has its low bits in ql[l + 32 (p mod 2)], in the low
// or the high half by p / 2, and its upper two in qh[l].
template <>
struct Block<GgmlBlock::kQ6K> {
  static constexpr std::size_t kElements = 256, kBytes = 210;
  template <class Real>
  static void widen(const Byte* block, Real* out) {
    const auto d = scale_at<Real>(block + 208);
    for (int k = 0; k < 8; ++k) {
      const int half = k / 4;
      const int p = k % 4;
      const Byte* ql = block + 64 * half + 32 * (p % 2);
      const Byte* qh = block + 128 + 32 * half;
      const Byte* scales = block + 192 + 2 * k;
      for (int l = 0; l < 32; ++l) {
        const Real scale = d * static_cast<Real>(static_cast<std::int8_t>(scales[l / 16]));
        const int q = (ql[l] >> 4 * (p / 2) & 15) | (qh[l] >> 2 * p & 3) << 4;
        out[32 * k + l] = scale * static_cast<Real>(q - 32);
      }
    }
  }
};

void store_scale(float d, std::byte* out) {
  const std::uint16_t bits = f16_from_float(d);
  out[0] = static_cast<std::byte>(bits & 0xFF);
  out[1] = static_cast<std::byte>(bits >> 8);
}

// 1/d of d = 0 is nobody's divisor; that of a subnormal d may overflow.
float inverse(float d) {
  return d == 0 ? 0 : 1 / d;
}

struct TypeName {
  std::uint32_t number;
  std::string_view name;
};

constexpr TypeName kTypeNames[] = {
    {0, "F32"},     {1, "F16"},         {2, "Q4_0"},        {3, "Q4_1"},        {4, "Q4_2"},
    {5, "Q4_3"},    {6, "Q5_0"},        {7, "Q5_1"},        {8, "Q8_0"},        {9, "Q8_1"},
    {10, "Q2_K"},   {11, "Q3_K"},       {12, "Q4_K"},       {13, "Q5_K"},       {14, "Q6_K"},
    {15, "Q8_K"},   {16, "IQ2_XXS"},    {17, "IQ2_XS"},     {18, "IQ3_XXS"},    {19, "IQ1_S"},
    {20, "IQ4_NL"}, {21, "IQ3_S"},      {22, "IQ2_S"},      {23, "IQ4_XS"},     {24, "I8"},
    {25, "I16"},    {26, "I32"},        {27, "I64"},        {28, "F64"},        {29, "IQ1_M"},
    {30, "BF16"},   {31, "Q4_0_4_4"},   {32, "Q4_0_4_8"},   {33, "Q4_0_8_8"},   {34, "TQ1_0"},
    {35, "TQ2_0"},  {36, "IQ4_NL_4_4"}, {37, "IQ4_NL_4_8"}, {38, "IQ4_NL_8_8"}, {39, "MXFP4"},
    {40, "NVFP4"},  {41, "Q1_0"},       {42, "Q2_0"},
};

}  // namespace

template <GgmlBlock kBlock, class Real>
void widen_ggml(const std::byte* bytes, std::size_t count, Real* out) {
  using Format = Block<kBlock>;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes to numbers of eight bits
  const auto* block = reinterpret_cast<const Byte*>(bytes);
  for (std::size_t i = 0; i < count; i += Format::kElements, block += Format::kBytes) {
    Format::widen(block, out + i);
  }
}

void store_q8_0(const float* values, std::size_t count, std::byte* out) {
  for (std::size_t i = 0; i < count; i += 32, values += 32, out += 34) {
    std::int32_t largest = 0;  // magnitudes have the order of their bits, which is faster to find
    for (int j = 0; j < 32; ++j) {
      largest = std::max(largest, std::bit_cast<std::int32_t>(values[j]) & 0x7FFFFFFF);
    }
    const float d = std::bit_cast<float>(largest) / 127;
    store_scale(d, out);
    const float id = std::isinf(inverse(d)) ? 0 : inverse(d);
    for (int j = 0; j < 32; ++j) {
      const float quotient = values[j] * id;
      const float magnitude = std::fabs(quotient);
      const int whole = static_cast<int>(magnitude);
      const int rounded = whole + (magnitude - static_cast<float>(whole) >= 0.5f ? 1 : 0);
      out[2 + j] = static_cast<std::byte>(quotient < 0 ? -rounded : rounded);
    }
  }
}

void store_q4_0(const float* values, std::size_t count, std::byte* out) {
  for (std::size_t i = 0; i < count; i += 32, values += 32, out += 18) {
    float largest = values[0];
    for (int j = 1; j < 32; ++j) {
      largest = std::fabs(values[j]) > std::fabs(largest) ? values[j] : largest;
    }
    const float d = largest / -8;
    store_scale(d, out);
    const float id = inverse(d);
    std::array<int, 32> q = {};
    for (int j = 0; j < 32 && !std::isinf(id); ++j) {
      const float shifted = values[j] * id + 8.5f;
      q[j] = std::min(15, static_cast<int>(shifted));
    }
    for (int j = 0; j < 16; ++j) {
      out[2 + j] = static_cast<std::byte>(q[j] | q[j + 16] << 4);
    }
  }
}

std::string ggml_type_name(std::uint32_t number) {
  for (const TypeName& row : kTypeNames) {
    if (row.number == number) {
      return std::string(row.name);
    }
  }
  return std::to_string(number);
}

template void widen_ggml<GgmlBlock::kQ8_0>(const std::byte*, std::size_t, float*);
template void widen_ggml<GgmlBlock::kQ8_0>(const std::byte*, std::size_t, double*);
template void widen_ggml<GgmlBlock::kQ4_0>(const std::byte*, std::size_t, float*);
template void widen_ggml<GgmlBlock::kQ4_0>(const std::byte*, std::size_t, double*);
template void widen_ggml<GgmlBlock::kQ4_1>(const std::byte*, std::size_t, float*);
template void widen_ggml<GgmlBlock::kQ4_1>(const std::byte*, std::size_t, double*);
template void widen_ggml<GgmlBlock::kQ5_0>(const std::byte*, std::size_t, float*);
template void widen_ggml<GgmlBlock::kQ5_0>(const std::byte*, std::size_t, double*);
template void widen_ggml<GgmlBlock::kQ5_1>(const std::byte*, std::size_t, float*);
template void widen_ggml<GgmlBlock::kQ5_1>(const std::byte*, std::size_t, double*);
template void widen_ggml<GgmlBlock::kIq4Nl>(const std::byte*, std::size_t, float*);
template void widen_ggml<GgmlBlock::kIq4Nl>(const std::byte*, std::size_t, double*);
template void widen_ggml<GgmlBlock::kMxfp4>(const std::byte*, std::size_t, float*);
template void widen_ggml<GgmlBlock::kMxfp4>(const std::byte*, std::size_t, double*);
template void widen_ggml<GgmlBlock::kNvfp4>(const std::byte*, std::size_t, float*);
template void widen_ggml<GgmlBlock::kNvfp4>(const std::byte*, std::size_t, double*);
template void widen_ggml<GgmlBlock::kQ4K>(const std::byte*, std::size_t, float*);
template void widen_ggml<GgmlBlock::kQ4K>(const std::byte*, std::size_t, double*);
template void widen_ggml<GgmlBlock::kQ5K>(const std::byte*, std::size_t, float*);
template void widen_ggml<GgmlBlock::kQ5K>(const std::byte*, std::size_t, double*);
template void widen_ggml<GgmlBlock::kQ6K>(const std::byte*, std::size_t, float*);
template void widen_ggml<GgmlBlock::kQ6K>(const std::byte*, std::size_t, double*);

}  // namespace assay
