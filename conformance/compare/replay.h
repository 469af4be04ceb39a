// SPDX-License-Identifier: Apache-2.0
// Replay: every tap of a dump against the fp64 formula applied to the dump's own earlier taps.
//
//   total = got - truth  =  ( got - F(got's inputs) )  +  ( F(got's inputs) - truth )
//                              introduced here               inherited
//
// One fp64 run does it. At each dumped tap the value just computed is F of the nearest dumped
// ancestors; it is compared and then replaced by the dump's, from which the run goes on. Taps the
// dump lacks stay computed, so the steps are as fine as the dump is.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/compare/comparison.h"
#include "conformance/compare/floors.h"
#include "conformance/compare/inner_rounding.h"
#include "conformance/compare/listeners.h"
#include "conformance/compare/open_rows.h"
#include "conformance/compare/verdict.h"
#include "conformance/interface/implementation.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

// The distance of two scores within which a choice is open: of a scores tap with this rms.
using ScoreGap = std::function<double(const std::string& scores_tap, double score_rms)>;

class ReplayListener : public SafeListener {
 public:
  // Taps that `replaced` refuses are compared with, not fed back; none: all are fed back.
  ReplayListener(const TapSet& dump, const CaseInput& input, double largest, ScoreGap gap = {},
                 TapFilter replaced = {});

  // What a model of this class takes in is rounded to it first.
  void round_what_is_taken_in(const PrecisionClass& precision) { taken_in_as_ = &precision; }
  // Compares roundings, too, as a program rounds that has these points. One without any at its taps
  // has rounded sums over samples for the dump alone.
  void compare_roundings(const PrecisionClass& precision, const RoundingPoints& points);

  bool wants(const std::string& name) const override;
  // One comparison per tap of the dump that the model has, in execution order.
  std::vector<Comparison>& finish();
  const std::vector<std::string>& model_taps() const { return model_taps_; }

 protected:
  void receive(Tap& tap) override;

 private:
  void compare(Tap& tap, const Tap& got);
  void compare_scores(const std::vector<char>& visible);
  void open_choice(const Tap& choice);
  void count_near_ties(const Tap& choice, Comparison& step) const;
  Tap brought_to(const Tap& tap, const Tap& got) const;
  std::string scores_of(const std::string& choice) const;
  void note_poison(const Comparison& step, const Tap& got);
  void remember(const Tap& tap);
  bool replace(Tap& tap, const Tap& got);
  bool replace_choice(Tap& tap, const Tap& got);
  const Tap* remembered(const std::string& name) const;
  bool is_replaced(const std::string& name) const;
  bool is_kept_in_float(const std::string& name) const;

  const TapSet& dump_;
  std::vector<char> padding_;
  double largest_;
  ScoreGap gap_;
  TapFilter replaced_;
  mutable std::vector<std::string> model_taps_;
  mutable std::set<std::string> asked_;
  std::set<std::string> helpers_;
  std::vector<Comparison> steps_;
  std::map<std::string, Tap> memory_;  // masks, scores and choices, as the run goes on from them
  Tap pending_scores_;                 // wait for the probabilities, which say what is visible
  std::size_t pending_step_ = 0;
  OpenRows open_;
  std::size_t first_placeholder_;
  std::size_t poisoned_row_;  // the first with a value that is no number: later ones may follow it
  double scale_ = 1;
  const PrecisionClass* taken_in_as_ = nullptr;
  const PrecisionClass* rounded_to_ = nullptr;
  std::optional<InnerRounding> inner_;
};

// Judges a dump by replay and names the taps at which an error entered, all of them, in execution
// order. The fp64 implementation must have the checkpoint loaded and take forced taps.
CaseResult replay(Implementation& f64, const CaseInput& input, const TapSet& dump,
                  const Floors& floors);

// The same, recomputed in each of these ways: a tap is judged by the nearest of them. Taps that
// `replaced` refuses are not gone on from.
CaseResult replay(Implementation& f64, const CaseInput& input, const TapSet& dump,
                  const Floors& floors, const std::vector<Rounding>& ways,
                  const TapFilter& replaced = {});

// What a rounding leaves open. Values halfway between two integers go either way: R(x / d) and
// R(x c), c = 1 / d, differ there. Where activations have 8 bits, a GELU may have the 11 of a
// table.
std::vector<Rounding> ways_to_round(const Rounding& rounding);

// The two ways in which values halfway between two integers go, beside the one to even.
std::array<Rounding, 2> other_half_ways(const Rounding& rounding);

// How a class is replayed: its rounding that no tap shows, without those that replay can judge.
Rounding replay_rounding(const PrecisionClass& precision);

}  // namespace assay::conformance
