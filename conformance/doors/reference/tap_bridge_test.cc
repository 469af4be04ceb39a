// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/tap_bridge.h"

#include "conformance/records/tap.h"
#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

using Values = std::vector<double>;

// Keeps every tap, and may put other values in.
class Listener : public conformance::TapListener {
 public:
  bool wants(const std::string& name) const override { return name != "unwanted"; }
  void on_tap(const conformance::TensorView& view) override {
    conformance::Tap tap = to_tap(view);
    heard.push_back(tap);
    if (!forced.empty()) {
      tap.values = forced;
    }
    write_forced(tap, view);
  }

  std::vector<conformance::Tap> heard;
  Values forced;
};

TEST(DirectBridge, WritesBackWhatTheListenerLeft) {
  Listener listener;
  listener.forced = {7, 8.5};
  DirectBridge bridge(listener);
  auto value = tensor_of<D>({2}, {1, 2});
  TapScope(bridge, "text.")("x", value);
  EXPECT_EQ(values_of(value), Values({7, 8.5}));
  EXPECT_EQ(listener.heard.at(0).name, "text.x");
  EXPECT_EQ(listener.heard.at(0).values, Values({1, 2}));
  EXPECT_FALSE(listener.heard.at(0).integer);
  IntTensor<T> ids = {3, 4};
  TapScope(bridge, "text.")("ids", ids);
  EXPECT_EQ(values_of(ids), Values({7, 8}));
  EXPECT_TRUE(listener.heard.at(1).integer);
  TapScope(bridge, "")("unwanted", value);
  EXPECT_EQ(listener.heard.size(), 2u);
}

TEST(DirectBridge, RefusesOtherCounts) {
  Listener listener;
  listener.forced = {7};
  DirectBridge bridge(listener);
  auto value = tensor_of<D>({2}, {1, 2});
  EXPECT_EQ(error_of([&] { TapScope(bridge, "")("x", value); }),
            "x: got 1 forced values, expected 2");
}

TEST(DirectBridge, RefusesIntegersThatAreNone) {
  IntTensor<T> ids = {3};
  for (const double bad : {1e10, -1e10, std::nan(""), HUGE_VAL}) {
    Listener listener;
    listener.forced = {bad};
    DirectBridge bridge(listener);
    EXPECT_THROW(TapScope(bridge, "")("ids", ids), Error) << bad;
  }
}

// Two calls of 2 and 1 tokens; a sliding layer sees keys 0, 1, then 1, 2.
class JoinedCalls : public testing::Test {
 protected:
  void feed(const char* name, TapAxes axes, Tensor<T, N> first, Tensor<T, N> second) {
    bridge_.begin_call(0);
    TapScope(bridge_, "").at(name, axes, {0, 1}, first);
    bridge_.begin_call(2);
    TapScope(bridge_, "").at(name, axes, {1, 2}, second);
    bridge_.finish();
  }

  const conformance::Tap& heard() const { return listener_.heard.at(0); }

  Listener listener_;
  JoiningBridge bridge_{listener_, 3};
};

TEST_F(JoinedCalls, RowsStandOneAfterAnother) {
  feed("x", TapAxes::kRows, {{1, 2}, {3, 4}}, {{5, 6}});
  EXPECT_EQ(heard().shape, std::vector<std::size_t>({3, 2}));
  EXPECT_EQ(heard().values, Values({1, 2, 3, 4, 5, 6}));
}

TEST_F(JoinedCalls, KeysStandAtTheirIndex) {
  feed("x", TapAxes::kKeys, {{1, 2}, {3, 4}}, {{3, 4}, {5, 6}});
  EXPECT_EQ(heard().shape, std::vector<std::size_t>({3, 2}));
  EXPECT_EQ(heard().values, Values({1, 2, 3, 4, 5, 6}));
}

TEST_F(JoinedCalls, RowsByKeysLeaveTheUnseenZero) {
  feed("x", TapAxes::kRowsByKeys, {{1, 2}, {3, 4}}, {{5, 6}});
  EXPECT_EQ(heard().shape, std::vector<std::size_t>({3, 3}));
  EXPECT_EQ(heard().values, Values({1, 2, 0, 3, 4, 0, 0, 5, 6}));
}

TEST_F(JoinedCalls, OfAWholeTheLastStands) {
  feed("x", TapAxes::kWhole, {{1, 2}, {3, 4}}, {{5, 6}});
  EXPECT_EQ(heard().shape, std::vector<std::size_t>({1, 2}));
  EXPECT_EQ(heard().values, Values({5, 6}));
}

TEST_F(JoinedCalls, EveryHeadHasItsLine) {
  auto first = tensor_of<T, N, S>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  auto second = tensor_of<T, N, S>({1, 2, 2}, {9, 10, 11, 12});
  bridge_.begin_call(0);
  TapScope(bridge_, "").at("probs", TapAxes::kRowsByKeys, {0, 1}, first);
  bridge_.begin_call(2);
  TapScope(bridge_, "").at("probs", TapAxes::kRowsByKeys, {1, 2}, second);
  bridge_.finish();
  EXPECT_EQ(heard().shape, std::vector<std::size_t>({3, 2, 3}));
  EXPECT_EQ(heard().values, Values({1, 2, 0, 3, 4, 0, 5, 6, 0, 7, 8, 0, 0, 9, 10, 0, 11, 12}));
}

// A change is lost, as the interface says, and the order is that of the first call.
TEST(JoiningBridge, DoesNotForce) {
  Listener listener;
  listener.forced = {9, 9};
  JoiningBridge bridge(listener, 2);
  for (const std::size_t first : {0u, 1u}) {
    bridge.begin_call(first);
    auto a = tensor_of<T, D>({1, 1}, {1});
    auto b = tensor_of<T, D>({1, 1}, {2});
    TapScope(bridge, "")("b", b);
    TapScope(bridge, "")("a", a);
    EXPECT_EQ(a(0, 0), 1);
  }
  EXPECT_TRUE(listener.heard.empty());
  bridge.finish();
  EXPECT_EQ(listener.heard.at(0).name, "b");
  EXPECT_EQ(listener.heard.at(1).values, Values({1, 1}));
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
