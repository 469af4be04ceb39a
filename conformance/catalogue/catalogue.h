// SPDX-License-Identifier: Apache-2.0
// The tap catalogue as data: every named place of the text models, the drafters, the encoders and
// the preprocessing before them, the rules of the spec, the mistakes worth looking for and the
// points in which published programs differ, in our own words. `assay taps` and `assay explain`
// print it; blame takes the execution order from it, the judge what each tap is.
//
// Source: data/taps.txt, rules.txt, mistakes.txt, divergences.txt, embedded when the program is
// built and read once, at the first question. All texts are views that stay.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/catalogue/tap_role.h"

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
  // Media: what an item is, in which form it comes in, and what the model has for it.
  kMediaPrompt,     // prompts with an item that is more than soft-token embeddings
  kVideo,           // videos
  kVideoBatch,      // programs that keep all frames of a video in one tensor
  kPixels,          // images that come as a file or as pixels
  kPatches,         // images, and those that come as patches
  kSamples,         // audio clips that come as a file or as samples
  kLogMel,          // the same, where there is an audio encoder
  kMel,             // the same, and audio clips that come as log-mel
  kVisionEncoder,   // E2B, E4B, 26B, 31B
  kStandardize,     // 26B, 31B
  kUnifiedVision,   // 12B
  kVisionEmbedder,  // all
  kAudioEncoder,    // E2B, E4B
  kUnifiedAudio,    // 12B
  kAudioEmbedder,   // E2B, E4B, 12B
  kRequest,         // requests to tokenizer, template and parser
};

// Stages of a run, and parts of a stage, in their order. Only the audio encoder has kSubsampling
// and kBetween.
enum class Stage { kRequests, kMedia, kText, kDraft, kRound, kNowhere };
enum class Part { kBefore, kSubsampling, kBetween, kLayers, kAfter };

struct TapEntry {
  // text.layer.{i}.attn.q_rope; {i} layer, {s} step, {j} drafter layer. Media taps have no item
  // here: vision.layer.{i}.attn.q_rope is media.{k}.vision.layer.{i}.attn.q_rope in a prompt.
  std::string_view pattern;
  std::string_view shape;  // [T, Hq, hd]
  bool mandatory = false;  // a port that fuses may not leave it out
  bool discrete = false;   // integers, compared by equality
  Presence presence = Presence::kAlways;
  std::string_view formula;
  std::string_view rules;  // "R-31 R-21"
  std::string_view hf;     // where it is in transformers, llama.cpp, JAX; "-": nowhere
  std::string_view llama_cpp;
  std::string_view jax;
  TapRole role;
  Stage stage = Stage::kNowhere;
  Part part = Part::kBefore;
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

// A point in which published programs differ in meaning.
struct Divergence {
  std::string_view label;        // DIV-M04
  std::string_view topic;        // audio attention span
  std::string_view who;          // who does what
  std::string_view consequence;  // what it changes, measured where numbers stand
  std::string_view reference;    // what the reference profile does
  std::string_view key;          // the switch of the profile, or ""
};

// In execution order within each level: media, model, layer, drafter, drafter layer, speculative
// round.
std::span<const TapEntry> all_taps();
std::span<const Rule> all_rules();
std::span<const Mistake> all_mistakes();
std::span<const Divergence> all_divergences();

struct TapMatch {
  const TapEntry* entry = nullptr;
  std::optional<std::size_t> layer;  // {i}, or {j} within a drafter
  std::optional<std::size_t> step;   // {s}, or the round {r}, or the request {k}
  std::optional<std::size_t> item;   // {k} of media.{k}.
};

// The entry of a tap's name ("text.layer.4.attn.q_rope", "media.0.vision.layer.3.out",
// "vision.layer.3.out") or of a pattern itself.
std::optional<TapMatch> find_tap(std::string_view name);
// "media.0." of a media tap's name, "" of any other.
std::string_view media_prefix(std::string_view name);
// Under what a list may file a tap, closest first: its name, media.{k}. before the rest of it, the
// same with {i} for its layer, its pattern. Names that are no tap have only themselves.
std::vector<std::string> patterns_of(std::string_view name);
const Rule* find_rule(std::string_view label);
const Mistake* find_mistake(std::string_view label);
const Divergence* find_divergence(std::string_view label);

// Sorts names as they are computed; names that are no tap come last.
struct ExecutionKey {
  std::size_t stage = 0;  // media, model, draft, round
  std::size_t step = 0;   // or the media item
  std::size_t part = 0;   // before the layers, layers, after them
  std::size_t layer = 0;
  std::size_t entry = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): version 14 takes the zero of <=> for a pointer
  auto operator<=>(const ExecutionKey&) const = default;
};
ExecutionKey execution_key(std::string_view name);

}  // namespace assay::conformance
