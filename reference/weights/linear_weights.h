// SPDX-License-Identifier: Apache-2.0
// The weight of a linear map, and how its input and output are rounded when it runs: the scales of
// a checkpoint whose activations were quantised in training (mobile QAT).  Spec: text 5.1.
#pragma once

#include <utility>

#include "reference/core/tensor.h"
#include "reference/family/checkpoint/input_rounding.h"

namespace assay::ASSAY_REFERENCE {

struct ActivationScales {  // 0: not rounded
  Real input = 0;
  Real output = 0;
  // How a program rounds the input that multiplies the weight as it is stored; none: it does not.
  InputRounding stored = InputRounding::kNone;
  HalfWay half_way = HalfWay::kEven;
};

struct LinearWeights {
  LinearWeights() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): most maps are a weight and nothing else
  LinearWeights(Tensor<O, I> weight_, ActivationScales activation_ = {})
      : weight(std::move(weight_)), activation(activation_) {}

  Tensor<O, I> weight;
  ActivationScales activation;
  Tensor<O, I> minima;  // [out, in / 32] of blocks whose products round a sum; else empty
};

}  // namespace assay::ASSAY_REFERENCE
