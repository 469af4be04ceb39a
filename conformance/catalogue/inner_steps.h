// SPDX-License-Identifier: Apache-2.0
// What a 16-bit program rounds within a step of its own, between one tap and the next, and where
// the residual stream goes meanwhile (conformance/compare/inner_rounding.h).
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace assay::conformance {

enum class InnerStep {
  kNone,
  kRope,             // attn.q_rope, attn.k_rope
  kSoftcap,          // logits
  kScaledRows,       // embed_scaled, ple.token
  kPerLayerContext,  // ple.ctx
  kPerLayerSum,      // ple.in
  kGatedInput,       // ple.mul of a layer, vision's mlp.act
  kRouterInput,      // moe.router_in
  kExpertSum         // moe.sum
};

// The step that ends at a tap.
InnerStep inner_step_of(std::string_view tap);
// The tap that it works on: attn.q_norm, logits_raw, embed_rows, ple.proj, ple.ctx, ple.gate,
// moe.expert_out; "" without a step, and where the rows of a table are no tap.
std::string input_of_step(std::string_view tap);
// Whether some step reads the tap; the tables of angles are read, too.
bool is_read_by_a_step(std::string_view tap);

struct AngleTable {
  std::string cos, sin;
};
// Of sliding and of full attention.
const std::array<AngleTable, 2>& angle_tables();

// transformers keeps the router's probabilities and weights in fp32.
bool stays_in_float(std::string_view tap);
// Once a dump shows one of these, the residual stream is known again.
bool shows_stream(std::string_view tap);
// A sum whose order is the program's own, so that what follows is known no better: moe.sum.
bool hides_stream(std::string_view tap);
// text.embed: its rows are as wide as the model.
bool is_model_wide(std::string_view tap);
// text.ple.in, which every ple.mul reads, and what it is the sum of.
bool is_per_layer_input(std::string_view tap);
std::string per_layer_input();
std::string per_layer_token();
bool is_part_of_per_layer_input(std::string_view tap);
// moe.gate_up, from which the inside of the experts is made, without a tap between.
bool is_expert_gate(std::string_view tap);
// Of the layer of moe.sum: the weights of the chosen experts, and which these are.
std::string expert_weights_of(std::string_view sum);
std::string expert_choice_of(std::string_view sum);
bool is_cache(std::string_view tap);

// Of an encoder, or what it is given.
bool is_of_encoder(std::string_view tap);
// Audio in the form that a model takes it; a 16-bit model rounds it on its way in.
bool is_taken_in(std::string_view tap);
// Made of files, before a model runs: in fp32, whatever the class of the model.
bool is_made_before_model(std::string_view tap);
// Of these, what is as exact as the largest of its frame: all of an audio but its logarithm.
bool is_sum_over_samples(std::string_view tap);

// Taps whose rounding points are known: of the text model and the drafter, without what the router
// keeps in fp32; of the encoders the norms and the activation between two products.
bool is_rounded_as_known(std::string_view tap);

// What a GELU is taken of: ffn.gate, ple.gate, mlp.gate.
bool is_gate(std::string_view tap);
// The gate beside ffn.act; "" of any other tap.
std::string gate_of(std::string_view tap);

}  // namespace assay::conformance
