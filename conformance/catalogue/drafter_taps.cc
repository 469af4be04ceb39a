// SPDX-License-Identifier: Apache-2.0
// Spec text 4.3: taps of a multi-token-prediction drafter and of the speculative loop.
//
// mtp.step.{s}.layer.{j}.… are the layer taps without the drafter's own keys and values, which it
// does not have; catalogue.cc derives them.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

using enum Presence;

constexpr TapEntry kTaps[] = {
    {"mtp.step.{s}.token_embed", "[B]", kMay, kReal, kAlways,
     "the target's row of the newest token, times sqrt(B)", "R-70", "-", "-", "-"},
    {"mtp.step.{s}.hidden_in", "[B]", kMay, kReal, kAlways,
     "the target's final_norm at p - 1; from step 1 on the previous step's post_proj", "R-70 R-75",
     "-", "-", "-"},
    {"mtp.step.{s}.concat", "[2B]", kMay, kReal, kAlways, "token_embed, then hidden_in", "R-70",
     "pre_projection in", "-", "-"},
    {"mtp.step.{s}.pre_proj", "[h]", kMust, kReal, kAlways, "Wpre concat", "R-71",
     "pre_projection out", "pre_proj (ik: mtp input)", "-"},
    {"mtp.step.{s}.norm", "[h]", kMust, kReal, kAlways, "m = RMSNorm(h, w_norm)", "R-75 R-03",
     "model.norm out", "-", "-"},
    {"mtp.step.{s}.post_proj", "[B]", kMust, kReal, kAlways, "Wpost m", "R-75",
     "post_projection out", "h_nextn", "-"},
    {"mtp.step.{s}.centroid_logits", "[C]", kMay, kReal, kCentroids, "Wc m", "R-77",
     "masked_embedding.centroids out", "-", "-"},
    {"mtp.step.{s}.centroid_index", "[c]", kMay, kWhole, kCentroids,
     "the largest centroid logits, largest first", "R-77", "-", "-", "-"},
    {"mtp.step.{s}.candidate_ids", "[c*V/C]", kMay, kWhole, kCentroids,
     "rows of token_ordering, seen as [C, V/C], of the chosen centroids", "R-77", "-", "-", "-"},
    {"mtp.step.{s}.logits", "[V]", kMust, kReal, kAlways,
     "Emb_draft m, no cap; ordered: the rest of the vocabulary gets min(candidates) - 1",
     "R-76 R-77", ".logits", "result_output", "-"},
    {"mtp.step.{s}.token", "[1]", kMust, kWhole, kAlways, "argmax of logits", "R-78", "-", "-",
     "-"},
};

constexpr std::size_t kBeforeLayers = 4;  // token_embed, hidden_in, concat, pre_proj

constexpr TapEntry kRounds[] = {
    {"spec.round.{r}.position", "[1]", kMay, kWhole, kSpeculative,
     "p: the position of the newest token that is not in the target's cache", "R-73 R-78", "-", "-",
     "-"},
    {"spec.round.{r}.drafted", "[n]", kMay, kWhole, kSpeculative, "the tokens drafted this round",
     "R-78", "-", "-", "-"},
    {"spec.round.{r}.accepted", "[1]", kMay, kWhole, kSpeculative,
     "how many of them the target agreed with", "R-78", "-", "-", "-"},
    {"spec.round.{r}.bonus", "[1]", kMay, kWhole, kSpeculative,
     "the target's own choice after the last accepted token", "R-78 R-79", "-", "-", "-"},
    {"spec.round.{r}.kv_len", "[1]", kMay, kWhole, kSpeculative,
     "entries in the target's cache after the rejected ones were dropped", "R-78 R-65", "-", "-",
     "-"},
};

}  // namespace

std::span<const TapEntry> drafter_taps() {
  return kTaps;
}
std::size_t drafter_taps_before_layers() {
  return kBeforeLayers;
}
std::span<const TapEntry> round_taps() {
  return kRounds;
}

}  // namespace assay::conformance
