// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/block_taps.h"

#include <algorithm>
#include <array>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/tap_name.h"

namespace assay::conformance {
namespace {

constexpr std::array<std::string_view, 6> kBeforeTheFirst = {
    "text.embed",       "text.ple.in",      "vision.patch_embed",
    "vision.tower_out", "audio.input_proj", "audio.tower_out"};

}  // namespace

bool ends_block(std::string_view tap) {
  const auto match = find_tap(tap);
  if (!match) {
    return false;
  }
  if (match->layer) {
    return tap_leaf(tap) == "out";
  }
  return std::ranges::any_of(kBeforeTheFirst,
                             [&](std::string_view end) { return tap.ends_with(end); });
}

bool is_seen_by_attention(std::string_view tap) {
  const std::string leaf = tap_leaf(tap);
  return (leaf == "attn.k_ctx" || leaf == "attn.v_ctx") && tap.starts_with("text.layer.");
}

std::string own_keys_beside(std::string_view tap) {
  return beside(tap, "attn.k_proj");
}

std::string output_of_text_layer(std::size_t layer) {
  return "text.layer." + std::to_string(layer) + ".out";
}

}  // namespace assay::conformance
