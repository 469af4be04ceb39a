// SPDX-License-Identifier: Apache-2.0
// What a 16-bit program rounds between the taps of its dump, done to a replay of it.
//
// Most of it are taps that the dump does not have: they are rounded as the run comes to them. The
// rest is in no tap. As transformers computes in eager mode, each operation rounds its result:
//
//   RoPE         R( R(x cos) + R(x' sin) ), cos and sin rounded
//   logits       cap R( tanh( R(x / cap) ) )
//   sqrt(D)      rounded to the class, before the embedding is multiplied with it; sqrt(P) too
//   PLE          the norm of R(proj / sqrt(D));  R(ctx + token) / sqrt(2);  R(gelu(gate)) in;
//                so does the encoder of images with gelu(gate) up
//   router       R(norm scale) / sqrt(D)
//   experts      R( R(gelu(gate)) up ) into the second product;  R(omega z) summed in the order of
//                the experts, R after each;  or omega z summed in fp32
//
// and with fused attention the scores stay in fp32, and what multiplies the values is
// R( exp(score - max) ), divided by its unrounded sum after the product. Such kernels take their
// exponentials from short polynomials, right to 13 bits; which one is not known, so a run may move
// each by as much, drawn from a seed, to see how many roundings that turns over.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "conformance/compare/listeners.h"
#include "conformance/compare/precision.h"
#include "conformance/records/tap.h"

namespace assay::conformance {

struct RoundingPoints {
  bool at_taps = false;   // every tap is rounded; false: fp32 between the taps of the dump
  bool in_steps = false;  // and every operation, as above
  bool fused_attention = false;
  double exp_spread = 0;  // exponentials of fused attention are off by up to so much
};

// Which honest programs have: fp32 inside and rounded once; fused steps; transformers eager and
// sdpa.
const std::vector<RoundingPoints>& known_rounding_points();

class InnerRounding {
 public:
  InnerRounding(const PrecisionClass& precision, const RoundingPoints& points)
      : precision_(precision), points_(points) {}

  const RoundingPoints& points() const { return points_; }
  // A tap that was just computed: rounds within its step. Where programs have several ways of
  // it, as the nearest to what the dump has.
  void within(Tap& tap, const Tap* dumped = nullptr);
  // The tap as the run goes on from it: rounded, unless the dump has it.
  void after(Tap& tap, bool dumped);
  // Something hidden has rounding points that are not known, and the tap may follow from it; or so
  // much is rounded on the way to it that a value on the other side of a boundary moves all.
  bool is_lost(const std::string& tap) const;

 private:
  const Tap* remembered(const std::string& name) const;
  void rope(Tap& tap) const;
  void softcap(Tap& tap) const;
  void derived_rope(const Tap& x, Tap& tap) const;
  void gelu(Tap& tap, const Tap* dumped) const;
  void gated_input(Tap& tap, const Tap* dumped) const;
  double gated(double gelu, double other) const;
  double nearest_gelu(double gelu, double spread, double other, double got) const;
  void scaled_rows(Tap& tap) const;
  void per_layer_context(Tap& tap) const;
  void per_layer_sum(Tap& tap) const;
  void router_input(Tap& tap) const;
  void expert_sum(Tap& tap, const Tap* dumped) const;
  std::vector<double> summed_in_turn(const Tap& outputs, const Tap& weights,
                                     const Tap& experts) const;
  void expert_gate(Tap& tap) const;
  void fused_probabilities(Tap& tap);
  double round(double value) const { return round_to_class(value, precision_); }

  const PrecisionClass& precision_;
  RoundingPoints points_;
  std::map<std::string, Tap> memory_;
  std::size_t width_ = 0;          // of the residual stream
  bool ple_parts_hidden_ = false;  // token or context part
  bool ple_lost_ = false;
  bool lost_ = false;
  std::size_t hidden_ = 0;  // taps rounded since the last that the dump has
  Random random_{1};
};

// A program that rounds there: shows `next` each tap as it is rounded.
class InnerRoundingListener : public SafeListener {
 public:
  InnerRoundingListener(const PrecisionClass& precision, const RoundingPoints& points,
                        SafeListener& next)
      : inner_(precision, points), next_(next) {}
  bool wants(const std::string&) const override { return true; }

 protected:
  void receive(Tap& tap) override;

 private:
  InnerRounding inner_;
  SafeListener& next_;
};

}  // namespace assay::conformance
