// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/inner_steps.h"

#include <algorithm>

#include "conformance/catalogue/roles.h"

namespace assay::conformance {
namespace {

constexpr std::array<std::string_view, 3> kInFloat = {"router_probs", "topk_norm", "topk_weight"};
constexpr std::array<std::string_view, 9> kOfStream = {
    "in",       "out",      "residual", "ffn.post_norm", "combined",
    "norm_out", "ple.norm", "ple.proj", "final_norm"};
constexpr std::array<std::string_view, 7> kInputs = {"q_norm",     "k_norm",   "cos",       "sin",
                                                     "logits_raw", "ple.gate", "embed_rows"};

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
  if (tap.starts_with("text.layer.") && tap.ends_with(".ple.mul")) {
    return InnerStep::kGatedInput;
  }
  return tap == "text.logits"         ? InnerStep::kSoftcap
         : tap == "text.embed_scaled" ? InnerStep::kScaledRows
                                      : InnerStep::kNone;
}

std::string input_of_step(std::string_view tap) {
  switch (inner_step_of(tap)) {
    case InnerStep::kRope:
      return sibling(tap, tap.ends_with("q_rope") ? "q_norm" : "k_norm");
    case InnerStep::kSoftcap:
      return "text.logits_raw";
    case InnerStep::kScaledRows:
      return "text.embed_rows";
    case InnerStep::kGatedInput:
      return sibling(tap, "gate");
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

bool is_per_layer_input(std::string_view tap) {
  return tap == per_layer_input();
}

bool is_cache(std::string_view tap) {
  return tap.find(".cache.") != std::string_view::npos;
}

bool is_rounded_as_known(std::string_view tap) {
  static constexpr std::array<std::string_view, 5> kOfExperts = {"dense_norm", "router_norm",
                                                                 "norm_in", "norm_out", "combined"};
  static constexpr std::array<std::string_view, 7> kOfText = {
      "embed_rows", "embed_scaled", "embed", "final_norm", "logits_raw", "logits", ""};
  if (!tap.starts_with("text.") || !choice_of_slots(tap).empty()) {
    return false;
  }
  if (is_angle(tap)) {
    return true;
  }
  const std::string_view leaf = tap.substr(tap.rfind('.') + 1);
  if (!tap.starts_with("text.layer.")) {
    return tap == "text." + std::string(leaf) && std::ranges::find(kOfText, leaf) != kOfText.end();
  }
  if (tap.find(".moe.") != std::string_view::npos) {
    return std::ranges::find(kOfExperts, leaf) != kOfExperts.end();
  }
  return !is_cache(tap);
}

bool is_gate(std::string_view tap) {
  return tap.ends_with(".ffn.gate") || tap.ends_with(".ple.gate");
}

std::string gate_of(std::string_view tap) {
  return tap.ends_with(".ffn.act") ? sibling(tap, "gate") : "";
}

std::string per_layer_input() {
  return "text.ple.in";
}

}  // namespace assay::conformance
