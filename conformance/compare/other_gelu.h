// SPDX-License-Identifier: Apache-2.0
// A program whose GELU takes tanh from an exponential, as GPU kernels do:
//
//   gelu(x) = x/2 (2 - 2 / (exp(2 z) + 1))     z = sqrt(2/pi) (x + 0.044715 x^3), in fp32
//
// It is the same function, and off by up to 1.5 u |x|, six times what tanh makes it: where x is
// negative the sum cancels, and a row of a few such values is nothing but rounding. Source: ggml,
// gelu.comp of its Vulkan kernels.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "conformance/compare/listeners.h"

namespace assay::conformance {

// x/2 (1 + tanh z), as the checkpoints have it.
double gelu_tanh(double x);
float gelu_by_exp(float x);

// Writes that form of GELU over the taps of the text model that it makes.
class OtherGelu : public ChangingListener {
 public:
  using ChangingListener::ChangingListener;

 protected:
  void change(Tap& tap) override;

 private:
  const Tap* kept(const std::string& name) const;

  std::map<std::string, Tap> kept_;  // what goes into it
};

}  // namespace assay::conformance
