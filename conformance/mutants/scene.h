// SPDX-License-Identifier: Apache-2.0
// What a wrong formula may look at: the taps before its own, the weights, the config, the case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conformance/catalogue/catalogue.h"
#include "conformance/interface/implementation.h"
#include "conformance/mutants/formulas.h"
#include "conformance/mutants/mutant.h"
#include "conformance/records/tap.h"
#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/config/rounding.h"

namespace assay::conformance {

// A checkpoint and the drafter beside it; weights are widened when they are asked for.
class MutantModel {
 public:
  // Throws assay::Error for a checkpoint that cannot be used.
  MutantModel(const std::string& checkpoint, const std::string& drafter);

  // From now on weights are what a program of the class makes of them when it loads them.
  void round_weights(const Rounding& rounding) const;

  const ModelConfig& config() const { return target_.config(); }
  const ModelConfig* drafter_config() const { return drafter_ ? &drafter_->config() : nullptr; }
  const std::string& path() const { return path_; }

  // A weight under the name that Checkpoint gives it. Throws NotHere where there is none.
  const Matrix& weight(const std::string& name, bool of_drafter = false) const;
  std::vector<std::int64_t> drafter_integers(const std::string& name) const;

 private:
  std::string path_;
  Checkpoint target_;
  std::optional<Checkpoint> drafter_;
  mutable Rounding rounding_;
  mutable std::map<std::string, Matrix> kept_;
  mutable std::size_t kept_values_ = 0;
};

// Throws NotHere unless the condition holds: what a mistake needs is there.
inline void only(bool condition) {
  if (!condition) {
    throw NotHere();
  }
}

// The taps of a run so far, as bytes; they become numbers when a formula asks for them. The oldest
// are forgotten when there are too many.
class TapMemory {
 public:
  void keep(const TensorView& view, const void* values);
  const Tap* find(const std::string& name) const;

 private:
  struct Kept {
    TensorDtype dtype;
    std::vector<std::size_t> shape;
    std::vector<std::byte> bytes;
    mutable std::optional<Tap> tap;
  };
  std::unordered_map<std::string, Kept> kept_;
  std::deque<std::string> order_;
  std::size_t total_ = 0;
};

class Scene {
 public:
  Scene(const TapMemory& memory, const MutantModel& model, const CaseInput& input, std::string tap);

  // The tap of that leaf beside the one that is rewritten: tap("attn.q_norm") of the same layer,
  // step or item. Throws NotHere where the run has none.
  const Tap& tap(std::string_view leaf) const;
  const Tap& named(const std::string& name) const;
  bool has(std::string_view leaf) const;

  // Layer of the tap that is rewritten.
  std::size_t layer() const { return match_.layer.value_or(0); }
  std::size_t step() const { return match_.step.value_or(0); }
  const std::string& prefix() const { return prefix_; }
  bool in_drafter() const { return match_.entry->stage == Stage::kDraft; }
  const LayerConfig& layer_config() const;
  bool sliding() const { return layer_config().kind == LayerKind::kSliding; }

  // A weight of the tap's layer ("self_attn.q_norm.weight"), or of its model.
  const Matrix& weight(const std::string& name) const;
  bool has_weight(const std::string& name) const;
  const Matrix& model_weight(const std::string& name) const;
  const Matrix& layer_weight(std::size_t layer, const std::string& name) const;

  const ModelConfig& config() const { return model_.config(); }
  const TextConfig& text() const;  // the drafter's at a drafter's tap
  const MutantModel& model() const { return model_; }
  const CaseInput& input() const { return input_; }
  // Positions, types (0 text, 1 image, 2 video, 3 audio) and vision block (-1: none) of the tokens.
  std::vector<double> positions() const;
  std::vector<int> types() const;
  std::vector<int> blocks() const;

 private:
  std::string layer_prefix(std::size_t layer) const;

  const TapMemory& memory_;
  const MutantModel& model_;
  const CaseInput& input_;
  std::string tap_;
  std::string prefix_;
  TapMatch match_;
};

}  // namespace assay::conformance
