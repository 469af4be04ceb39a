// SPDX-License-Identifier: Apache-2.0
// For tests: operands of products from a seed (splitmix64), memory with guards around it, and the
// unit that errors are told in.
//
//   zeros       each product is 0, for one operand is 0 where the other is not
//   integers    small: every sum is exact, in any order
//   same sign   in (0.5, 1): sums grow long
//   cancel      pairs x, -x (1 + 2^-12) with equal weights
//   range       exponents in +-30 (+-12 where a scale in f16 has to hold them)
//   planted     normal, three channels fifty times as large
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

namespace assay::cpu {

constexpr double kRounding = 0x1p-24;  // u, of fp32

// The largest error of a sum of n products in units of u (sum |a b| + |y|), where L sums are kept.
inline double strict_limit(std::size_t n, std::size_t sums) {
  return 4 + std::sqrt(static_cast<double>(n) / static_cast<double>(sums));
}

class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  float between(double low, double high) {
    return static_cast<float>(low + (high - low) * uniform());
  }
  int integer(int low, int high) {
    return low + static_cast<int>(bits() % static_cast<std::uint64_t>(high - low + 1));
  }
  float normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return static_cast<float>(radius * std::cos(2 * std::numbers::pi * uniform()));
  }
  float power(double most) {
    const double sign = (bits() & 1) != 0 ? 1 : -1;
    return static_cast<float>(sign * std::exp2(most * (2 * uniform() - 1)));
  }

 private:
  std::uint64_t state_;
};

enum class DataSet { kZeros, kIntegers, kSameSign, kCancel, kRange, kPlanted };
constexpr DataSet kDataSets[] = {DataSet::kIntegers, DataSet::kZeros, DataSet::kSameSign,
                                 DataSet::kCancel,   DataSet::kRange, DataSet::kPlanted};

inline std::string name_of(DataSet set) {
  constexpr const char* kNames[] = {"zeros", "integers", "same sign", "cancel", "range", "planted"};
  return kNames[static_cast<int>(set)];
}

// Whether its result is exact.
inline bool is_exact(DataSet set) {
  return set == DataSet::kZeros || set == DataSet::kIntegers;
}

// A row of the first operand (weights); `reach`: exponents of the set range.
inline std::vector<float> weight_row(DataSet set, Numbers& numbers, std::size_t count,
                                     double reach) {
  std::vector<float> row(count);
  for (std::size_t k = 0; k < count; ++k) {
    switch (set) {
      case DataSet::kZeros:
        row[k] = k % 2 == 0 ? static_cast<float>(numbers.integer(1, 7)) : 0.0F;
        break;
      case DataSet::kIntegers:
        row[k] = static_cast<float>(numbers.integer(-7, 7));
        break;
      case DataSet::kSameSign:
        row[k] = numbers.between(0.5, 1);
        break;
      case DataSet::kCancel:
        row[k] = k % 2 == 1 ? row[k - 1] : numbers.normal();
        break;
      case DataSet::kRange:
        row[k] = numbers.power(reach);
        break;
      case DataSet::kPlanted:
        row[k] = numbers.normal();
        break;
    }
  }
  return row;
}

// A row of the second operand. Integers: the first of each 32 is 127, so that int8 holds them.
inline std::vector<float> activation_row(DataSet set, Numbers& numbers, std::size_t count,
                                         double reach) {
  std::vector<float> row = weight_row(set, numbers, count, reach);
  for (std::size_t k = 0; k < count; ++k) {
    if (set == DataSet::kZeros) {
      row[k] = k % 2 == 1 ? numbers.normal() : 0.0F;
    } else if (set == DataSet::kIntegers) {
      row[k] = k % 32 == 0 ? 127.0F : static_cast<float>(numbers.integer(-120, 120));
    } else if (set == DataSet::kCancel && k % 2 == 1) {
      row[k] = -row[k - 1] * (1 + 0x1p-12F);
    } else if (set == DataSet::kPlanted && k % 211 < 3 && k < 633) {
      row[k] *= k % 211 == k / 211 ? 50.0F : 1.0F;
    }
  }
  return row;
}

// `count` values that begin `offset` values after a multiple of 64 bytes, 64 guards on both sides.
template <class Value>
class Guarded {
 public:
  explicit Guarded(std::size_t count, std::size_t offset = 0)
      : memory_(count + 3 * kGuards + offset, guard()), count_(count) {
    const auto at = reinterpret_cast<std::uintptr_t>(memory_.data() + kGuards);
    first_ = kGuards + (64 - at % 64) % 64 / sizeof(Value) + offset;
  }

  Value* data() { return memory_.data() + first_; }
  // Whether nobody wrote beside them.
  bool intact() const {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      if ((i < first_ || i >= first_ + count_) && !is_guard(memory_[i])) {
        return false;
      }
    }
    return true;
  }
  bool untouched(std::size_t i) const { return is_guard(memory_[first_ + i]); }

 private:
  static constexpr std::size_t kGuards = 64;
  static Value guard() {
    if constexpr (sizeof(Value) == 4) {
      return std::bit_cast<Value>(0xFFC0FFEEU);  // as a float a NaN, so that a sum shows it, too
    } else {
      return static_cast<Value>(0xEE);
    }
  }
  static bool is_guard(const Value& value) {
    const Value expected = guard();
    return std::equal(reinterpret_cast<const unsigned char*>(&value),
                      reinterpret_cast<const unsigned char*>(&value) + sizeof(Value),
                      reinterpret_cast<const unsigned char*>(&expected));
  }

  std::vector<Value> memory_;
  std::size_t count_;
  std::size_t first_;
};

}  // namespace assay::cpu
