// SPDX-License-Identifier: Apache-2.0
// A small made-up decoder for the tests of the judge: three layers of norm, attention with a
// causal mask and two of six experts, in float or double, into which mistakes can be planted.
#pragma once

#include <set>
#include <string>

#include "conformance/interface/implementation.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance::toy {

enum class Order { kForward, kReversed, kLanes };  // of sums

struct Behaviour {
  Order order = Order::kForward;
  // Mistakes, each "what" or "what@layer": norm_eps, q_scale, mask_leak, heads_swapped,
  // wrong_expert, no_renormalise, no_residual, softcap, nan.
  std::set<std::string> mistakes;
  double near_tie = 0;  // layer 1 adds it to the router logits of expert 0
};

constexpr std::size_t kTokens = 12;
constexpr std::size_t kLayers = 3;

// precision "f32" or "f64".
template <class Scalar>
class Model : public Implementation {
 public:
  explicit Model(Behaviour behaviour = {}) : behaviour_(std::move(behaviour)) {}
  Capabilities capabilities() const override;
  Status load(const std::string&, const std::string&) override { return {}; }
  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override;

 private:
  Behaviour behaviour_;
};

extern template class Model<float>;
extern template class Model<double>;

CaseInput prompt();

// What a port would hand in: all taps, those of `leaves` ("attn.mix", "text.logits"), or all but
// those of `without`.
struct Part {
  std::set<std::string> leaves;
  std::set<std::string> without;
};
TapSet dump(Implementation& model, const Part& part = {}, const RunOptions& options = {});
std::set<std::string> names(const TapSet& taps);
Part port_taps();  // few per layer, no scores and no probabilities

}  // namespace assay::conformance::toy
