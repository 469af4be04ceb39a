// SPDX-License-Identifier: Apache-2.0
// Mistakes in attention, masks, key-value sharing and the cache (spec text 7.4).
//
// The tap is where a comparison in execution order must fail first. "masked": the logits hardly
// move, only the tap shows it.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Mistake kMistakes[] = {
    {"M-60", "scores are multiplied by 1/sqrt(hd)", "text.layer.{i}.attn.scores", "all"},
    {"M-61", "scores are scaled by the query_pre_attn_scalar of Gemma 3",
     "text.layer.{i}.attn.scores", "all"},
    {"M-62", "scores are capped at 50 as in Gemma 2", "text.layer.{i}.attn.scores",
     "all; needs scores above 5"},
    {"M-63", "query head h reads key head h mod Hkv", "text.layer.{i}.attn.scores",
     "E4B, 12B, 26B, 31B; needs more than one key head"},
    {"M-64", "the input of o_proj is laid channel by channel", "text.layer.{i}.attn.o_proj", "all"},
    {"M-65", "the window holds W + 1 keys", "text.mask.local text.layer.{i}.attn.probs",
     "all; needs T > W"},
    {"M-66", "the window holds W - 1 keys", "text.mask.local text.layer.{i}.attn.probs",
     "all; needs T >= W"},
    {"M-67", "sliding layers have no window", "text.layer.{i}.attn.probs",
     "all, sliding layers; needs T > W"},
    {"M-68", "full layers have a window", "text.layer.{i}.attn.probs",
     "all, full layers; needs T > W"},
    {"M-69", "a query cannot see itself", "text.layer.{i}.attn.probs", "all"},
    {"M-70", "a model with W = 1024 is run with 512", "text.layer.{i}.attn.probs",
     "12B, 26B, 31B; needs T > 512"},
    {"M-71", "vision blocks are ignored", "text.layer.{i}.attn.probs",
     "12B, 26B, 31B, sliding layers; needs a block"},
    {"M-72", "vision blocks apply to full layers as well", "text.layer.{i}.attn.probs",
     "12B, 26B, 31B, full layers; needs a block"},
    {"M-73", "the block rule is applied after the window", "text.layer.{i}.attn.probs",
     "12B, 26B, 31B, sliding layers; needs a block longer than W"},
    {"M-74", "the window clamps only keys that are too old", "text.layer.{i}.attn.probs",
     "12B, 26B, 31B, sliding layers; needs a block longer than W"},
    {"M-75", "E2B or E4B get vision blocks", "text.layer.{i}.attn.probs",
     "E2B, E4B, sliding layers; needs an image"},
    {"M-76", "a run of audio is treated as a block", "text.layer.{i}.attn.probs",
     "12B, sliding layers; needs audio"},
    {"M-77", "the tokens around an image belong to its block", "text.layer.{i}.attn.probs",
     "12B, 26B, 31B, sliding layers"},
    {"M-78", "two images make one block", "text.layer.{i}.attn.probs",
     "12B, 26B, 31B, sliding layers; needs two images"},
    {"M-79", "where k = v the value is taken after the key norm", "text.layer.{i}.attn.v_norm",
     "12B, 26B, 31B, full layers; needs a key norm weight that is not constant"},
    {"M-80", "where k = v the value is taken after RoPE", "text.layer.{i}.attn.v_norm",
     "12B, 26B, 31B, full layers; needs a position above 0"},
    {"M-81", "sliding layers share key and value, too", "text.layer.{i}.attn.v_norm",
     "12B, 26B, 31B, sliding layers"},
    {"M-82", "full layers have as many key heads as sliding ones", "text.layer.{i}.attn.k_proj",
     "12B, 26B, 31B; an error when loading"},
    {"M-83", "sharing layers use keys and values of their own", "text.layer.{i}.attn.k_ctx",
     "E2B, E4B; needs a file that still holds the unused weights"},
    {"M-84", "sharing layers read the first layer of their kind", "text.layer.{i}.attn.k_ctx",
     "E2B, E4B"},
    {"M-85", "sharing layers read the nearest layer of any kind", "text.layer.{i}.attn.k_ctx",
     "E2B, E4B; often a wrong shape"},
    {"M-86", "shared keys are rotated a second time", "text.layer.{i}.attn.k_ctx", "E2B, E4B"},
    {"M-87", "a sharing sliding layer reads its source's trimmed cache",
     "text.layer.{i}.attn.k_ctx", "E2B, E4B; needs chunks and T > W"},
    {"M-88", "the ring is one slot too short", "text.layer.{i}.attn.k_ctx",
     "all; needs decode past W"},
    {"M-89", "keys are cached before RoPE and rotated by their slot", "text.layer.{i}.attn.k_ctx",
     "all; needs decode past W"},
    {"M-90", "values are cached before their norm", "text.layer.{i}.attn.v_ctx",
     "all; needs decode"},
    {"M-91", "a rollback does not bring back evicted entries", "text.layer.{i}.attn.k_ctx",
     "all; needs a rejected draft past W"},
    {"M-92", "a chunk trims the sliding cache before it attends", "text.layer.{i}.attn.probs",
     "all; needs chunks"},
    {"M-93", "padding keys are visible", "text.mask.local text.mask.global",
     "all; needs padding on the left"},
};

}  // namespace

std::span<const Mistake> attention_mistakes() {
  return kMistakes;
}

}  // namespace assay::conformance
