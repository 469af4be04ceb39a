// SPDX-License-Identifier: Apache-2.0
// The mistakes V38 ... V41 are in reference/model/vision_mistakes_test.cc.
#include "reference/blocks/vision_mlp.h"

#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kGeluOfOne = 0.841191990608276;
constexpr double kBound = bound_of(2e-6, 1e-14);

// down_proj clamps what enters it; the tap before it shows the product as it was.
TEST(VisionMlp, TheInputClampIsAfterTheTap) {
  TapRecorder taps;
  VisionMlpWeights w;
  w.gate_proj.weight = tensor_of<O, I>({1, 1}, {1});
  w.up_proj.weight = tensor_of<O, I>({1, 1}, {5});
  w.down_proj = {tensor_of<O, I>({1, 1}, {2}), -1, 3, -10, 10};
  const auto y = vision_mlp(w, tensor_of<T, D>({1, 1}, {1}), TapScope(taps, "mlp."));
  expect_near(taps.at("mlp.act").values, {5 * kGeluOfOne}, kBound);
  expect_near(values_of(y), {6}, kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
