// SPDX-License-Identifier: Apache-2.0
// For tests: how far two results are apart.
//
// A suite in lower case holds mistakes under their own names, rms_norm.one_plus_scale: each test
// shows first that the wrong formula would be seen, then that it is not ours.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace assay {

inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    largest = difference <= largest ? largest : difference;  // a NaN becomes the largest
  }
  return largest;
}

inline void expect_near(const std::vector<double>& ours, const std::vector<double>& right,
                        double bound) {
  EXPECT_LE(largest_difference(ours, right), bound);
}

// The case can tell `wrong` from `right`, and ours is right.
inline void expect_avoided(const std::vector<double>& ours, const std::vector<double>& right,
                           const std::vector<double>& wrong, double bound) {
  EXPECT_GT(largest_difference(right, wrong), 20 * bound) << "the case does not show the mistake";
  expect_near(ours, right, bound);
}

}  // namespace assay
