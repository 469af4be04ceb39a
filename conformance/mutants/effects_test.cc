// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/effects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t kSize = 40;

std::vector<double> wave(double pace) {
  std::vector<double> values;
  for (std::size_t i = 0; i < kSize; ++i) {
    values.push_back(std::sin(pace * static_cast<double>(i + 1)));
  }
  return values;
}

std::vector<double> sum(const std::vector<double>& a, const std::vector<double>& b, double by = 1) {
  std::vector<double> values = a;
  for (std::size_t i = 0; i < b.size(); ++i) {
    values[i] += by * b[i];
  }
  return values;
}

// A right run, a dump with the second and the fourth of five mistakes in it.
class TwoOfFive : public testing::Test {
 protected:
  TwoOfFive() {
    TapSet dump;
    dump.add({"x", {kSize}, sum(sum(right_, effects_[1]), effects_[3]), false});
    of_.emplace(Samples{{"x", sample(right_)}}, dump);
    for (const auto& effect : effects_) {
      of_->add({{"x", sample(sum(right_, effect))}});
    }
  }

  std::vector<double> right_ = wave(0.1);
  std::vector<std::vector<double>> effects_ = {wave(0.7), wave(1.3), wave(2.1), wave(2.9),
                                               wave(3.7)};
  std::optional<Effects> of_;
};

TEST_F(TwoOfFive, AreNearestToTheError) {
  const auto pairs = of_->nearest_pairs({"x"}, 3);
  ASSERT_FALSE(pairs.empty());
  EXPECT_EQ(pairs[0].one, 1);
  EXPECT_EQ(pairs[0].other, 3);
  EXPECT_NEAR(pairs[0].left, 0, 1e-3);
  for (std::size_t i = 1; i < pairs.size(); ++i) {
    EXPECT_GT(pairs[i].left, 0.2);
  }
}

// A mistake that does nothing beside another makes no pair with it.
TEST_F(TwoOfFive, NeedEachOther) {
  of_->add({{"x", sample(right_)}});
  for (const auto& pair : of_->nearest_pairs({"x"}, 99)) {
    EXPECT_NE(pair.other, 5);
  }
}

TEST_F(TwoOfFive, OneThatDoesTheSameIsLikeIt) {
  of_->add({{"x", sample(sum(right_, effects_[1], 1.01))}});
  of_->add({{"x", sample(sum(right_, effects_[1], 1.2))}});
  EXPECT_THAT(of_->like(1, {"x"}), ElementsAre(5));
  EXPECT_THAT(of_->like(0, {"x"}), IsEmpty());
}

// Values that are no numbers, taps that are missing and arrays of another size have no effect.
TEST_F(TwoOfFive, OddRunsAreLeftOut) {
  auto broken = right_;
  broken[3] = std::nan("");
  of_->add({{"x", sample(broken)}});
  of_->add({});
  of_->add({{"x", {1, 2, 3}}});
  EXPECT_EQ(of_->nearest_pairs({"x"}, 1).at(0).one, 1);
  EXPECT_THAT(of_->nearest_pairs({"y"}, 1), IsEmpty());
}

TEST(Samples, AreOfEveryColumn) {
  std::vector<double> values(64 * 1000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<double>(i % 64);
  }
  const auto some = sample(values);
  EXPECT_LT(some.size(), 1600);
  for (float column = 0; column < 64; ++column) {
    EXPECT_NE(std::ranges::find(some, column), some.end()) << column;
  }
}

}  // namespace
}  // namespace assay::conformance
