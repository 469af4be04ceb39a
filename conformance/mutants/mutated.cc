// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/mutated.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "conformance/catalogue/catalogue.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/measure.h"

namespace assay::conformance {
namespace {

std::size_t layers_at(const TapMatch& match, const MutantModel& model) {
  const ModelConfig& config = model.config();
  if (match.entry->stage == Stage::kDraft) {
    return model.drafter_config() == nullptr ? 0 : model.drafter_config()->text.layers.size();
  }
  if (match.entry->stage == Stage::kMedia) {
    const bool audio = match.entry->pattern.starts_with("audio.");
    return audio ? (config.audio ? config.audio->num_hidden_layers : 0)
                 : (config.vision ? config.vision->num_hidden_layers : 0);
  }
  return config.text.layers.size();
}

bool is_kind(const TapMatch& match, const MutantModel& model, LayerKind kind) {
  const bool draft = match.entry->stage == Stage::kDraft;
  const TextConfig& text = draft ? model.drafter_config()->text : model.config().text;
  return match.layer && *match.layer < text.layers.size() && text.layers[*match.layer].kind == kind;
}

double relative_change(const Numbers& before, const Numbers& after) {
  double change = 0;
  double size = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    change += (after[i] - before[i]) * (after[i] - before[i]);
    size += before[i] * before[i];
  }
  return change == 0 ? 0 : size == 0 ? 1 : std::sqrt(change / size);
}

Change change_at(const std::string& tap, const Numbers& before, const Numbers& after,
                 const PrecisionClass* rounds) {
  Change change{tap, relative_change(before, after)};
  if (rounds == nullptr || before.empty()) {
    return change;
  }
  const double usual = rms(before);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (round_to_class(before[i], *rounds) != round_to_class(after[i], *rounds)) {
      ++change.others;
      const double unit = kFloatRoundoff * std::max(usual, std::abs(before[i]));
      change.excess = std::max(change.excess, std::abs(after[i] - before[i]) / unit);
    }
    const double size = std::max(std::abs(before[i]), std::abs(after[i]));
    if (size > 0 && std::isfinite(size)) {
      const double spacing = std::ldexp(2 * rounds->unit_roundoff(), std::ilogb(size));
      change.spacings = std::max(change.spacings, std::abs(after[i] - before[i]) / spacing);
    }
  }
  change.differing = static_cast<double>(change.others) / static_cast<double>(before.size());
  return change;
}

// Lets the mutants rewrite each tap, then hands it on to whoever listens to the run.
class Rewriter : public TapListener {
 public:
  Rewriter(const MutantModel& model, const std::vector<const Mutant*>& mutants,
           const CaseInput& input, const PrecisionClass* rounds, TapListener& next)
      : model_(model), mutants_(mutants), input_(input), rounds_(rounds), next_(next) {}

  bool wants(const std::string& name) const override {
    next_.wants(name);  // the next listener keeps a list of what the model has
    return true;
  }

  void on_tap(const TensorView& view) override {
    const std::string name(view.name);
    const auto formulas = formulas_of(name);
    if (formulas.empty() || !rewrite(name, formulas, view)) {
      hand_on(name, view);
    }
  }

  std::vector<Change> changed;

 private:
  void hand_on(const std::string& name, TensorView view) {
    if (view.forced != nullptr) {
      view.data = view.forced;
    }
    if (next_.wants(name)) {
      next_.on_tap(view);
    }
    memory_.keep(view, view.forced != nullptr ? view.forced : view.data);
  }

  std::vector<const Formula*> formulas_of(const std::string& name) const {
    std::vector<const Formula*> found;
    const auto match = find_tap(name);
    if (!match) {
      return found;
    }
    for (const Mutant* mutant : mutants_) {
      for (const Rewrite& rewrite : mutant->rewrites) {
        if (rewrite.tap == match->entry->pattern && rewrites_layer(rewrite, model_, name)) {
          found.push_back(&rewrite.formula);
        }
      }
    }
    return found;
  }

  // Whether the tap was handed on already, as one of another shape.
  bool rewrite(const std::string& name, const std::vector<const Formula*>& formulas,
               const TensorView& view) {
    Tap tap = to_tap(view);
    const Numbers before = tap.values;
    Scene scene(memory_, model_, input_, name);
    for (const Formula* formula : formulas) {
      Tap attempt = tap;
      try {
        (*formula)(scene, attempt);
        tap = std::move(attempt);
      } catch (const NotHere&) {
        continue;
      }
    }
    if (tap.values.size() != before.size()) {
      Change reshaped{.tap = name, .relative = 1, .differing = 1};
      reshaped.others = before.size();
      reshaped.excess = std::numeric_limits<double>::infinity();
      changed.push_back(std::move(reshaped));
      if (next_.wants(name)) {
        hand_over(next_, tap);
      }
      return true;
    }
    if (const Change change = change_at(name, before, tap.values, rounds_); change.relative != 0) {
      changed.push_back(change);
      if (view.forced == nullptr) {
        if (next_.wants(name)) {
          hand_over(next_, tap);
        }
        return true;
      }
      write_forced(tap, view);
    }
    return false;
  }

  const MutantModel& model_;
  const std::vector<const Mutant*>& mutants_;
  const CaseInput& input_;
  const PrecisionClass* rounds_;
  TapListener& next_;
  TapMemory memory_;
};

}  // namespace

bool rewrites_layer(const Rewrite& rewrite, const MutantModel& model, const std::string& tap) {
  const auto match = find_tap(tap);
  if (!match) {
    return false;
  }
  const std::size_t count = layers_at(*match, model);
  switch (rewrite.layers) {
    case Layers::kAll:
      return true;
    case Layers::kSliding:
      return is_kind(*match, model, LayerKind::kSliding);
    case Layers::kFull:
      return is_kind(*match, model, LayerKind::kFull);
    case Layers::kFirst:
      return match->layer == 0U;
    case Layers::kMiddle:
      return match->layer == count / 2;
    case Layers::kLast:
      return match->layer == count - 1;
  }
  return true;
}

Mutated::Mutated(Implementation& inner, const MutantModel& model,
                 std::vector<const Mutant*> mutants, const PrecisionClass* rounds)
    : inner_(inner), model_(model), mutants_(std::move(mutants)), rounds_(rounds) {}

Status Mutated::run(const CaseInput& input, const RunOptions& options, TapListener& taps) {
  Rewriter rewriter(model_, mutants_, input, rounds_, taps);
  const Status status = inner_.run(input, options, rewriter);
  changed_ = std::move(rewriter.changed);
  return status;
}

}  // namespace assay::conformance
