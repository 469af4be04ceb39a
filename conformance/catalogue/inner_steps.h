// SPDX-License-Identifier: Apache-2.0
// What a 16-bit program rounds within a step of its own, between one tap and the next, and where
// the residual stream goes meanwhile (conformance/compare/inner_rounding.h).
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace assay::conformance {

enum class InnerStep { kNone, kRope, kSoftcap, kScaledRows, kGatedInput };

// The step that ends at a tap: attn.q_rope, attn.k_rope; logits; embed_scaled; ple.mul of a layer.
InnerStep inner_step_of(std::string_view tap);
// The tap that it works on: attn.q_norm, logits_raw, embed_rows, ple.gate; "" without a step.
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
// text.ple.in, which every ple.mul reads.
bool is_per_layer_input(std::string_view tap);
std::string per_layer_input();
bool is_cache(std::string_view tap);

// Taps whose rounding points are known: of the text model, without the router and the inside of
// the experts and of the per-layer input.
bool is_rounded_as_known(std::string_view tap);

// What a GELU is taken of: ffn.gate, ple.gate.
bool is_gate(std::string_view tap);
// The gate beside ffn.act; "" of any other tap.
std::string gate_of(std::string_view tap);

}  // namespace assay::conformance
