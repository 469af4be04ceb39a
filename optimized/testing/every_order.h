// SPDX-License-Identifier: Apache-2.0
// For tests of kernels: the orders in which the host executor runs what a device runs at once, and
// values on the device.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "optimized/device/cuda/executor.h"
#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/device_rows_cuda.h"
#include "optimized/testing/test_numbers.h"
#include "optimized/testing/tolerance.h"

namespace assay::cuda {

// A test for each order: blocks, warps and lanes forward, in reverse, shuffled.
class EveryOrder : public testing::TestWithParam<simt::Order> {
 protected:
  void SetUp() override {
    simt::settings.order = GetParam();
    simt::settings.seed = 11;
  }
  void TearDown() override { simt::settings = {}; }
};

inline std::string order_name(const testing::TestParamInfo<simt::Order>& order) {
  constexpr const char* kNames[] = {"Forward", "Reverse", "Shuffled"};
  return kNames[static_cast<int>(order.param)];
}

#define ASSAY_IN_EVERY_ORDER(suite)                                                          \
  INSTANTIATE_TEST_SUITE_P(                                                                  \
      Orders, suite,                                                                         \
      testing::Values(simt::Order::kForward, simt::Order::kReverse, simt::Order::kShuffled), \
      order_name)

// Values on the device, and back.
template <class T>
class OnDevice {
 public:
  explicit OnDevice(const std::vector<T>& values) : buffer_(values.size()) {
    stream_.upload(buffer_.data(), values.data(), values.size() * sizeof(T));
    stream_.synchronize();
  }
  explicit OnDevice(std::size_t count) : buffer_(count) {}

  T* data() const { return buffer_.data(); }
  std::vector<T> values() {
    std::vector<T> values(buffer_.size());
    stream_.download(values.data(), buffer_.data(), values.size() * sizeof(T));
    stream_.synchronize();
    return values;
  }
  DeviceRows rows(std::size_t rows) const {
    return device_rows(buffer_.data(), rows, buffer_.size() / rows);
  }

 private:
  Stream stream_;
  Buffer<T> buffer_;
};
using Floats = OnDevice<float>;
using Ints = OnDevice<int>;

inline std::vector<float> normal_values(std::size_t count, std::uint64_t seed) {
  cpu::Numbers numbers(seed);
  std::vector<float> values(count);
  std::ranges::generate(values, [&] { return numbers.normal(); });
  return values;
}

// The largest difference, in units of the largest expected magnitude; infinite for a NaN.
inline double worst(const std::vector<float>& got, const std::vector<double>& expected) {
  double most = 0;
  double off = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    most = std::max(most, std::abs(expected[i]));
    const double difference = std::abs(double(got[i]) - expected[i]);
    off = std::isnan(difference) ? INFINITY : std::max(off, difference);
  }
  return got.size() == expected.size() ? off / most : INFINITY;
}

// The error, noted as a share of its bound (tolerance.h) under what executed the kernel.
inline double noted(const char* kernel, double off, double bound, const char* type = "f32") {
  static const DeviceFacts facts = device_facts();
  note_error(kernel, type, facts.is_host ? "cuda host twin" : "cuda " + facts.name,
             off == 0 ? 0 : off / bound);
  return off;
}

}  // namespace assay::cuda
