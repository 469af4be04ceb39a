// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/drafter_target.h"

#include "reference/family/base/error.h"

namespace assay {
namespace {

void expect_equal(std::size_t got, std::size_t expected, const std::string& what) {
  if (got != expected) {
    throw Error("drafter: " + what + ": got " + std::to_string(got) + ", expected the target's " +
                std::to_string(expected));
  }
}

}  // namespace

std::size_t drafter_source_layer(const TextConfig& target, LayerKind kind) {
  for (std::size_t i = target.first_kv_shared_layer(); i-- > 0;) {
    if (target.layers[i].kind == kind) {
      return i;
    }
  }
  throw Error("drafter: got a layer kind of which the target owns no keys, expected one that does");
}

void check_drafter_fits(const ModelConfig& drafter, const std::string& drafter_path,
                        const TextConfig& target) {
  if (!drafter.drafter) {
    throw Error(drafter_path + ": got a " + drafter.model_type +
                " model, expected a drafter (gemma4_assistant or gemma4_unified_assistant)");
  }
  expect_equal(drafter.drafter->backbone_hidden_size, target.hidden_size, "backbone_hidden_size");
  expect_equal(drafter.text.vocab_size, target.vocab_size, "vocab_size");
  expect_equal(drafter.text.sliding_window, target.sliding_window, "sliding_window");
  for (const LayerConfig& layer : drafter.text.layers) {
    expect_equal(layer.head_dim, target.layers[drafter_source_layer(target, layer.kind)].head_dim,
                 "head_dim");
  }
}

}  // namespace assay
