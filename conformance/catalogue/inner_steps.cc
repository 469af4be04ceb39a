// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/inner_steps.h"

#include <algorithm>
#include <span>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/roles.h"

namespace assay::conformance {
namespace {

constexpr std::array<std::string_view, 3> kInFloat = {"router_probs", "topk_norm", "topk_weight"};
constexpr std::array<std::string_view, 9> kOfStream = {
    "in",       "out",      "residual", "ffn.post_norm", "combined",
    "norm_out", "ple.norm", "ple.proj", "final_norm"};
constexpr std::array<std::string_view, 15> kInputs = {
    "q_norm",   "k_norm",     "cos",         "sin",        "logits_raw",
    "ple.gate", "mlp.gate",   "embed_rows",  "ple.ctx",    "ple.token",
    "ple.proj", "expert_out", "topk_weight", "topk_index", "ffn.gate"};
constexpr std::array<std::string_view, 10> kNormsOfEncoders = {
    "attn_norm", "attn_post_norm", "ffn_norm", "ffn_post_norm", "q_norm",
    "k_norm",    "v_norm",         "pre_norm", "post_norm",     "conv_norm"};
constexpr std::array<std::string_view, 2> kOtherNorms = {"audio.subsample.{s}.norm",
                                                         "audio.layer.{i}.out"};
constexpr std::array<std::string_view, 3> kAroundDrafter = {"pre_proj", "norm", "post_proj"};
constexpr std::array<std::string_view, 5> kMadeBefore = {
    "audio.frames_windowed", "audio.magnitude", "audio.mel_linear", "audio.mel", "image.patches"};
constexpr auto kOfSamples = std::span(kMadeBefore).first<3>();
constexpr auto kTakenIn = std::span(kMadeBefore).subspan<3, 1>();

bool is_one_of(std::string_view name, const auto& names) {
  return std::ranges::find(names, name) != names.end();
}

bool has_pattern(std::string_view tap, const auto& patterns) {
  const auto match = find_tap(tap);
  return match && is_one_of(match->entry->pattern, patterns);
}

bool ends_with_any(std::string_view tap, const auto& leaves) {
  return std::ranges::any_of(leaves, [&](std::string_view leaf) {
    return tap.ends_with(leaf) && tap.size() > leaf.size() &&
           tap[tap.size() - leaf.size() - 1] == '.';
  });
}

std::string sibling(std::string_view tap, std::string_view leaf) {
  return std::string(tap.substr(0, tap.rfind('.') + 1)).append(leaf);
}

}  // namespace

InnerStep inner_step_of(std::string_view tap) {
  if (tap.ends_with(".attn.q_rope") || tap.ends_with(".attn.k_rope")) {
    return InnerStep::kRope;
  }
  if (tap.ends_with(".mlp.act") && is_of_encoder(tap)) {
    return InnerStep::kGatedInput;
  }
  if (tap.starts_with("text.layer.")) {
    return tap.ends_with(".ple.mul")         ? InnerStep::kGatedInput
           : tap.ends_with(".moe.router_in") ? InnerStep::kRouterInput
           : tap.ends_with(".moe.sum")       ? InnerStep::kExpertSum
                                             : InnerStep::kNone;
  }
  return tap == "text.logits"                                     ? InnerStep::kSoftcap
         : tap == "text.embed_scaled" || tap == per_layer_token() ? InnerStep::kScaledRows
         : tap == "text.ple.ctx"                                  ? InnerStep::kPerLayerContext
         : tap == per_layer_input()                               ? InnerStep::kPerLayerSum
                                                                  : InnerStep::kNone;
}

std::string input_of_step(std::string_view tap) {
  switch (inner_step_of(tap)) {
    case InnerStep::kRope:
      return sibling(tap, tap.ends_with("q_rope") ? "q_norm" : "k_norm");
    case InnerStep::kSoftcap:
      return "text.logits_raw";
    case InnerStep::kScaledRows:
      return tap == per_layer_token() ? "" : "text.embed_rows";
    case InnerStep::kPerLayerContext:
      return sibling(tap, "proj");
    case InnerStep::kPerLayerSum:
      return sibling(tap, "ctx");
    case InnerStep::kGatedInput:
      return sibling(tap, "gate");
    case InnerStep::kRouterInput:
      return sibling(tap, "router_norm");
    case InnerStep::kExpertSum:
      return sibling(tap, "expert_out");
    case InnerStep::kNone:
      break;
  }
  return "";
}

bool is_read_by_a_step(std::string_view tap) {
  return ends_with_any(tap, kInputs);
}

const std::array<AngleTable, 2>& angle_tables() {
  static const std::array<AngleTable, 2> kTables = {
      {{"text.rope.local.cos", "text.rope.local.sin"},
       {"text.rope.global.cos", "text.rope.global.sin"}}};
  return kTables;
}

bool stays_in_float(std::string_view tap) {
  return ends_with_any(tap, kInFloat);
}

bool shows_stream(std::string_view tap) {
  return ends_with_any(tap, kOfStream);
}

bool hides_stream(std::string_view tap) {
  return tap.ends_with(".moe.sum");
}

bool is_model_wide(std::string_view tap) {
  return tap == "text.embed";
}

bool is_per_layer_input(std::string_view tap) {
  return tap == per_layer_input();
}

std::string per_layer_token() {
  return "text.ple.token";
}

bool is_part_of_per_layer_input(std::string_view tap) {
  return tap == per_layer_token() || tap == "text.ple.ctx";
}

bool is_expert_gate(std::string_view tap) {
  return tap.starts_with("text.layer.") && tap.ends_with(".moe.gate_up");
}

std::string expert_weights_of(std::string_view sum) {
  return sibling(sum, "topk_weight");
}

std::string expert_choice_of(std::string_view sum) {
  return sibling(sum, "topk_index");
}

bool is_cache(std::string_view tap) {
  return tap.find(".cache.") != std::string_view::npos;
}

bool is_of_encoder(std::string_view tap) {
  return stage_of(tap) == Stage::kMedia;
}

bool is_taken_in(std::string_view tap) {
  return has_pattern(tap, kTakenIn);
}

bool is_made_before_model(std::string_view tap) {
  return has_pattern(tap, kMadeBefore);
}

bool is_sum_over_samples(std::string_view tap) {
  return has_pattern(tap, kOfSamples);
}

namespace {

bool is_known_of_encoder(std::string_view tap) {
  return has_pattern(tap, kOtherNorms) ||
         (tap.find(".layer.") != std::string_view::npos &&
          (ends_with_any(tap, kNormsOfEncoders) || inner_step_of(tap) == InnerStep::kGatedInput));
}

bool is_known_of_drafter(std::string_view tap) {
  const std::string_view leaf = tap.substr(tap.rfind('.') + 1);
  return tap.find(".layer.") != std::string_view::npos || is_one_of(leaf, kAroundDrafter);
}

}  // namespace

bool is_rounded_as_known(std::string_view tap) {
  static constexpr std::array<std::string_view, 10> kOfExperts = {
      "dense_norm", "router_norm", "router_in", "router_logits", "norm_in",
      "gate_up",    "expert_out",  "sum",       "norm_out",      "combined"};
  static constexpr std::array<std::string_view, 7> kOfText = {
      "embed_rows", "embed_scaled", "embed", "final_norm", "logits_raw", "logits", ""};
  static constexpr std::array<std::string_view, 4> kOfPerLayerInput = {"token", "proj", "ctx",
                                                                       "in"};
  if (is_of_encoder(tap)) {
    return is_known_of_encoder(tap);
  }
  if (tap.starts_with("mtp.")) {
    return is_known_of_drafter(tap);
  }
  if (!tap.starts_with("text.")) {
    return false;
  }
  if (is_angle(tap)) {
    return true;
  }
  const std::string_view leaf = tap.substr(tap.rfind('.') + 1);
  if (tap.starts_with("text.ple.")) {
    return is_one_of(leaf, kOfPerLayerInput);
  }
  if (!tap.starts_with("text.layer.")) {
    return tap == "text." + std::string(leaf) && is_one_of(leaf, kOfText);
  }
  if (tap.find(".moe.") != std::string_view::npos) {
    return is_one_of(leaf, kOfExperts);
  }
  return !is_cache(tap);
}

bool is_gate(std::string_view tap) {
  return tap.ends_with(".ffn.gate") || tap.ends_with(".ple.gate") || tap.ends_with(".mlp.gate");
}

std::string gate_of(std::string_view tap) {
  return tap.ends_with(".ffn.act") ? sibling(tap, "gate") : "";
}

std::string per_layer_input() {
  return "text.ple.in";
}

}  // namespace assay::conformance
