// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/joiner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "conformance/records/tap.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using Keys = std::vector<std::size_t>;

class Listener : public TapListener {
 public:
  bool wants(const std::string& name) const override { return name != "unwanted"; }
  void on_tap(const TensorView& view) override {
    EXPECT_EQ(view.forced, nullptr);  // the run is over
    heard.push_back(to_tap(view));
  }
  std::vector<Tap> heard;
};

template <class Value>
constexpr TensorDtype kDtype = TensorDtype::kI32;
template <>
constexpr TensorDtype kDtype<float> = TensorDtype::kF32;
template <>
constexpr TensorDtype kDtype<double> = TensorDtype::kF64;

template <class Value>
class JoinerOf : public testing::Test {
 protected:
  void add(const Keys& shape, const std::vector<Value>& values, TapAxes axes,
           const Keys& keys = {}) {
    joiner_.add({"x", kDtype<Value>, shape, values.data()}, axes, keys);
  }

  std::string refusal(const Keys& shape, TapAxes axes, const Keys& keys = {}) {
    try {
      add(shape, std::vector<Value>(16), axes, keys);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  const Tap& joined() {
    joiner_.finish();
    return listener_.heard.at(0);
  }

  Listener listener_;
  Joiner joiner_{listener_, 3};
};

using Values = testing::Types<float, double, std::int32_t>;
TYPED_TEST_SUITE(JoinerOf, Values);

// Two calls, of two tokens and of one; a sliding layer sees keys 0 and 1, then 1 and 2.
TYPED_TEST(JoinerOf, RowsStandOneAfterAnother) {
  this->add({2, 2}, {1, 2, 3, 4}, TapAxes::kRows);
  this->joiner_.begin_call(2);
  this->add({1, 2}, {5, 6}, TapAxes::kRows);
  EXPECT_THAT(this->joined().shape, ElementsAre(3, 2));
  EXPECT_THAT(this->joined().values, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(this->joined().integer, kDtype<TypeParam> == TensorDtype::kI32);
}

TYPED_TEST(JoinerOf, KeysStandAtTheirIndex) {
  this->add({2, 1}, {1, 2}, TapAxes::kKeys, {0, 1});
  this->joiner_.begin_call(2);
  this->add({2, 1}, {2, 3}, TapAxes::kKeys, {1, 2});
  EXPECT_THAT(this->joined().values, ElementsAre(1, 2, 3));
}

TYPED_TEST(JoinerOf, EveryHeadHasItsLineAndTheUnseenIsZero) {
  this->add({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}, TapAxes::kRowsByKeys, {0, 1});
  this->joiner_.begin_call(2);
  this->add({1, 2, 2}, {9, 10, 11, 12}, TapAxes::kRowsByKeys, {1, 2});
  EXPECT_THAT(this->joined().shape, ElementsAre(3, 2, 3));
  EXPECT_THAT(this->joined().values,
              ElementsAre(1, 2, 0, 3, 4, 0, 5, 6, 0, 7, 8, 0, 0, 9, 10, 0, 11, 12));
}

TYPED_TEST(JoinerOf, OfAWholeTheLastStands) {
  this->add({2}, {1, 2}, TapAxes::kWhole);
  this->add({1, 1}, {3}, TapAxes::kWhole);
  EXPECT_THAT(this->joined().shape, ElementsAre(1, 1));
  EXPECT_THAT(this->joined().values, ElementsAre(3));
}

TYPED_TEST(JoinerOf, RefusesWhatIsNotOfThePrompt) {
  EXPECT_EQ(this->refusal({4, 1}, TapAxes::kRows),
            "x: got 4 rows from token 0 on, expected rows of the prompt's 3 tokens");
  this->joiner_.begin_call(2);
  EXPECT_EQ(this->refusal({2, 1}, TapAxes::kRows),
            "x: got 2 rows from token 2 on, expected rows of the prompt's 3 tokens");
  EXPECT_EQ(this->refusal({1, 2}, TapAxes::kRowsByKeys, {1, 3}),
            "x: got key 3, expected one of the prompt's 3 tokens");
  EXPECT_EQ(this->refusal({2, 1}, TapAxes::kKeys, {1}),
            "x: got 1 indices of keys, expected 2, one for each");
  EXPECT_EQ(this->refusal({2}, TapAxes::kRowsByKeys, {1, 2}),
            "x: got shape [2], expected at least 2 axes");
  EXPECT_EQ(this->refusal({}, TapAxes::kRows), "x: got shape [], expected at least 1 axes");
}

TYPED_TEST(JoinerOf, RefusesAnotherWidth) {
  this->add({1, 2}, {1, 2}, TapAxes::kRows);
  this->joiner_.begin_call(1);
  EXPECT_EQ(this->refusal({1, 3}, TapAxes::kRows),
            "x: got shape [1, 3], expected the rows of [3, 2]");
}

TEST(Joiner, RefusesAnotherDtype) {
  Listener listener;
  Joiner joiner(listener, 2);
  const float number = 1;
  const std::int32_t integer = 1;
  const Keys shape = {1};
  joiner.add({"x", TensorDtype::kF32, shape, &number}, TapAxes::kRows);
  EXPECT_THROW(joiner.add({"x", TensorDtype::kI32, shape, &integer}, TapAxes::kRows), Error);
}

}  // namespace
}  // namespace assay::conformance
