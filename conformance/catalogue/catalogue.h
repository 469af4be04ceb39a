// SPDX-License-Identifier: Apache-2.0
// The tap catalogue as data: every named place of the text models and the drafters, the rules of
// the spec and the mistakes worth looking for, in our own words. `assay taps` and `assay explain`
// print it; blame takes the execution order from it.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/params/config.h"

namespace assay::conformance {

// Which models and layers have a tap.
enum class Presence {
  kAlways,
  kPle,          // models with per-layer embeddings
  kMoe,          // models with experts
  kOwnsKv,       // layers that make their own keys and values
  kCache,        // calls with a cache
  kCentroids,    // drafters with ordered embeddings
  kSpeculative,  // the speculative loop
};

struct TapEntry {
  std::string_view pattern;  // text.layer.{i}.attn.q_rope; {i} layer, {s} step, {j} drafter layer
  std::string_view shape;    // [T, Hq, hd]
  bool mandatory = false;    // a port that fuses may not leave it out
  bool discrete = false;     // whole numbers, compared by equality
  Presence presence = Presence::kAlways;
  std::string_view formula;
  std::string_view rules;  // "R-31 R-21"
  std::string_view hf;     // where it is in transformers, llama.cpp, JAX; "-": nowhere
  std::string_view llama_cpp;
  std::string_view jax;
};

struct Rule {
  std::string_view label;
  std::string_view topic;      // attention
  std::string_view statement;  // one or two sentences
};

struct Mistake {
  std::string_view label;    // M-46
  std::string_view mistake;  // what is done wrongly
  std::string_view tap;      // where it shows, first place first, separated by spaces
  std::string_view note;     // which models; "masked": the logits do not move, and so on
};

// In execution order within each level: model, layer, drafter, drafter layer, speculative round.
std::span<const TapEntry> all_taps();
std::span<const Rule> all_rules();
std::span<const Mistake> all_mistakes();

struct TapMatch {
  const TapEntry* entry = nullptr;
  std::optional<std::size_t> layer;  // {i}, or {j} within a drafter
  std::optional<std::size_t> step;   // {s}, or the round {r}
};

// The entry of a tap's name ("text.layer.4.attn.q_rope") or of a pattern itself.
std::optional<TapMatch> find_tap(std::string_view name);
const Rule* find_rule(std::string_view label);
const Mistake* find_mistake(std::string_view label);

// Sorts names as they are computed; names that are no tap come last.
struct ExecutionKey {
  std::size_t stage = 0;  // before the layers, layers, after them; the same within each draft step
  std::size_t step = 0;
  std::size_t part = 0;
  std::size_t layer = 0;
  std::size_t entry = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): version 14 takes the zero of <=> for a pointer
  auto operator<=>(const ExecutionKey&) const = default;
};
ExecutionKey execution_key(std::string_view name);

// The names a model has. Knows numbers, not the reference.
struct TapContext {
  std::vector<bool> layer_owns_kv;  // one per layer; false: reads an earlier layer's
  bool ple = false;
  bool moe = false;
  std::size_t draft_steps = 0;  // 0: no drafter
  std::size_t drafter_layers = 0;
  bool centroids = false;
  bool cache = false;
};
std::vector<std::string> expand_taps(const TapContext& context);

// The context of a text model that runs with a cache and without a drafter.
TapContext context_of(const TextConfig& config);

}  // namespace assay::conformance
