// SPDX-License-Identifier: Apache-2.0
// Mistakes in the feed-forward, the experts, the output, loaders and drafters (spec text 7.5, 7.6).
//
// The tap is where a comparison in execution order must fail first. "masked": the logits hardly
// move, only the tap shows it.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Mistake kMistakes[] = {
    {"M-100", "gate and up are swapped", "text.layer.{i}.ffn.mul", "all"},
    {"M-101", "GELU is the erf form", "text.layer.{i}.ffn.act",
     "all; nearly masked, needs values near 2.7"},
    {"M-102", "SiLU stands in for GELU", "text.layer.{i}.ffn.act", "all"},
    {"M-103", "the double width is on the wrong layers", "text.layer.{i}.ffn.gate",
     "E2B; a wrong shape"},
    {"M-104", "E4B is given the double width", "text.layer.{i}.ffn.gate", "E4B; a wrong shape"},
    {"M-110", "the router reads what the dense branch's norm made", "text.layer.{i}.moe.router_in",
     "26B; needs a norm weight that is not constant"},
    {"M-111", "the router reads what the expert branch's norm made", "text.layer.{i}.moe.router_in",
     "26B; published code did this"},
    {"M-112", "D^(-1/2) is left out of the router's input", "text.layer.{i}.moe.router_in", "26B"},
    {"M-113", "router.scale is left out", "text.layer.{i}.moe.router_in",
     "26B; needs a scale other than 1"},
    {"M-114", "chosen weights are not divided by their sum", "text.layer.{i}.moe.topk_weight",
     "26B; masked"},
    {"M-115", "per_expert_scale comes before the division", "text.layer.{i}.moe.topk_weight",
     "26B; masked"},
    {"M-116", "per_expert_scale is left out", "text.layer.{i}.moe.topk_weight",
     "26B; needs scales other than 1"},
    {"M-117", "per_expert_scale is read by slot instead of by expert",
     "text.layer.{i}.moe.topk_weight", "26B"},
    {"M-118", "experts read what the dense branch's norm made", "text.layer.{i}.moe.norm_in",
     "26B"},
    {"M-119", "gate_up_proj is read as interleaved", "text.layer.{i}.moe.sum", "26B"},
    {"M-120", "the halves of gate_up_proj are swapped", "text.layer.{i}.moe.sum", "26B"},
    {"M-121", "the norms after the two branches are swapped", "text.layer.{i}.moe.combined",
     "26B; needs distinct weights"},
    {"M-122", "the dense branch is dropped", "text.layer.{i}.moe.combined", "26B"},
    {"M-123", "the experts follow the dense branch instead of standing beside it",
     "text.layer.{i}.moe.norm_in", "26B"},
    {"M-124", "the norm after the sum of the branches is left out", "text.layer.{i}.ffn.post_norm",
     "26B"},
    {"M-125", "the experts' GELU is the erf form", "text.layer.{i}.moe.sum", "26B; nearly masked"},
    {"M-126", "the router's softmax is a sigmoid", "text.layer.{i}.moe.router_probs", "26B"},
    {"M-127", "experts are sorted by index and keep the weights of the old order",
     "text.layer.{i}.moe.topk_weight", "26B"},
    {"M-128", "the expert layers' norms are mapped by the digit in their names",
     "text.layer.{i}.moe.dense_norm text.layer.{i}.moe.norm_in", "26B; converters from JAX"},
    {"M-130", "the final logits are not capped", "text.logits", "all; needs logits above 5"},
    {"M-131", "the cap comes before the matmul, or is 50", "text.logits", "all"},
    {"M-132", "a random output matrix is made because the file has none", "text.logits_raw", "all"},
    {"M-133", "the forward pass suppresses tokens", "text.logits", "12B"},
    {"M-134", "q_proj is read as [hd, Hq]", "text.layer.{i}.attn.q_proj",
     "all; converters from JAX"},
    {"M-135", "bf16 weights pass through fp16", "text.embed_rows",
     "all; needs a weight below 6e-5 or above 65504"},
    {"M-140", "the halves of the drafter's input are reversed", "mtp.step.{s}.pre_proj",
     "all drafters"},
    {"M-141", "the drafter's own table makes its input", "mtp.step.{s}.concat", "all drafters"},
    {"M-142", "sqrt(B) is left out", "mtp.step.{s}.concat", "all drafters"},
    {"M-143", "the drafter gets the hidden state before the final norm", "mtp.step.{s}.hidden_in",
     "all drafters"},
    {"M-144", "the drafter gets the hidden state at p instead of p - 1", "mtp.step.{s}.hidden_in",
     "all drafters"},
    {"M-145", "the position advances with each step", "mtp.step.{s}.layer.{j}.attn.q_rope",
     "all drafters; from step 1 on"},
    {"M-146", "the position is p - 1", "mtp.step.{s}.layer.{j}.attn.q_rope", "all drafters"},
    {"M-147", "keys come from the target's last layers though these own none",
     "mtp.step.{s}.layer.{j}.attn.k_ctx", "drafters of E2B, E4B; needs unused weights in the file"},
    {"M-148", "sliding and full sources are swapped", "", "all drafters; a wrong shape"},
    {"M-149", "the next step gets m instead of Wpost m", "mtp.step.{s}.hidden_in",
     "all drafters; from step 1 on"},
    {"M-150", "token_ordering is seen as [V/C, C]", "mtp.step.{s}.candidate_ids",
     "drafters of E2B, E4B"},
    {"M-151", "token_ordering is inverted", "mtp.step.{s}.candidate_ids",
     "drafters of E2B, E4B; needs an order that is not its own inverse"},
    {"M-152", "keys of rejected tokens stay visible", "mtp.step.{s}.layer.{j}.attn.probs",
     "all drafters; needs a rejection"},
    {"M-153", "the target's cap is applied to the drafter", "mtp.step.{s}.logits", "all drafters"},
    {"M-154", "the bonus token is not given to the target in the next round",
     "spec.round.{r}.position", "all drafters"},
};

}  // namespace

std::span<const Mistake> late_mistakes() {
  return kMistakes;
}

}  // namespace assay::conformance
