// SPDX-License-Identifier: Apache-2.0
// Spec.
#include "reference/blocks/moe.h"

#include "reference/blocks/mlp.h"
#include "reference/family/testing/test_directory.h"
#include "reference/ops/rms_norm.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(2e-6, 1e-13);
constexpr double kEps = 1e-6;
constexpr MoeConfig kConfig{4, 2, 3};  // 4 experts, 2 chosen, 3 wide
constexpr std::size_t kWidth = 4;

std::uint32_t seed_of(std::size_t e) {
  return static_cast<std::uint32_t>(50 + e);
}

Tensor<O, I> gate_up_of(std::size_t e) {
  return random_tensor<O, I>({6, kWidth}, seed_of(e));
}

Tensor<O, I> down_of(std::size_t e) {
  return random_tensor<O, I>({kWidth, 3}, seed_of(e) + 10);
}

MoeWeights some_weights() {
  MoeWeights w;
  w.router_proj = random_tensor<O, I>({4, kWidth}, 1);
  w.router_proj *= Real(6);
  w.router_scale = tensor_of<D>({kWidth}, {0.5, 1.5, -0.75, 1.25});
  w.per_expert_scale = tensor_of<E>({4}, {0.5, 2, 0.25, 3});
  w.post_feedforward_layernorm_1 = random_tensor<D>({kWidth}, 2);
  w.pre_feedforward_layernorm_2 = random_tensor<D>({kWidth}, 3);
  w.post_feedforward_layernorm_2 = random_tensor<D>({kWidth}, 4);
  w.gate_up_proj = gate_up_of;
  w.down_proj = down_of;
  return w;
}

// A router whose logits are those given, whatever the residual: proj reads a constant first
// channel.
MoeWeights with_logits(const std::vector<double>& logits) {
  MoeWeights w = some_weights();
  w.router_scale = tensor_of<D>({kWidth}, {2, 0, 0, 0});  // times D^-1/2 = 1/2
  w.router_proj = make_tensor<O, I>({4, kWidth});
  for (std::size_t e = 0; e < 4; ++e) {
    w.router_proj(e, 0) = static_cast<Real>(logits[e]);
  }
  return w;
}

// All channels 1 or -1: the norm leaves it as it is but for eps.
Tensor<T, D> one_row() {
  return tensor_of<T, D>({1, kWidth}, {1, -1, 1, -1});
}

// pi = (1, 4, 2, 3) / 10, chosen (1, 3), omega = (4, 3) / 7.
TEST(Route, ByHand) {
  Taps silent;
  const auto w = with_logits({0, std::log(4), std::log(2), std::log(3)});
  const auto routing = route(w, kConfig, one_row(), 0, TapScope(silent, ""));
  EXPECT_EQ(values_of(routing.expert), std::vector<double>({1, 3}));
  expect_near(values_of(routing.weight), {2 * 4.0 / 7, 3 * 3.0 / 7}, kBound);
}

// slots stand in the order of their probability, ties in that of their index.
TEST(Route, SlotsByDescendingProbability) {
  Taps silent;
  const auto three = with_logits({0.5, 3, 1, 3});
  EXPECT_EQ(values_of(route(three, kConfig, one_row(), kEps, TapScope(silent, "")).expert),
            std::vector<double>({1, 3}));
  const auto last = with_logits({2, -1, 1, 3});
  EXPECT_EQ(values_of(route(last, kConfig, one_row(), kEps, TapScope(silent, "")).expert),
            std::vector<double>({3, 0}));
}

struct Weights {
  std::vector<double> ours;
  std::vector<double> right;
};

// logits 0, ln 4, ln 2, ln 3 again.
Weights weights_of_four() {
  Taps silent;
  const auto w = with_logits({0, std::log(4), std::log(2), std::log(3)});
  return {values_of(route(w, kConfig, one_row(), 0, TapScope(silent, "")).weight),
          {2 * 4.0 / 7, 3 * 3.0 / 7}};
}

// M-114: not to be seen after the norm that follows.
TEST(moe, weights_not_renormalised) {
  const auto [ours, right] = weights_of_four();
  expect_avoided(ours, right, {2 * 0.4, 3 * 0.3}, kBound);
}

// M-115
TEST(moe, scale_before_renormalisation) {
  const auto [ours, right] = weights_of_four();
  expect_avoided(ours, right, {8.0 / 17, 9.0 / 17}, kBound);
}

// M-116
TEST(moe, per_expert_scale_omitted) {
  const auto [ours, right] = weights_of_four();
  expect_avoided(ours, right, {4.0 / 7, 3.0 / 7}, kBound);
}

// M-117: the scales of experts 1 and 3, not of slots 0 and 1.
TEST(moe, per_expert_scale_by_slot) {
  const auto [ours, right] = weights_of_four();
  expect_avoided(ours, right, {0.5 * 4.0 / 7, 2 * 3.0 / 7}, kBound);
}

// M-110, M-111, M-112, M-113: the router reads the residual itself.
TEST(moe, router_input) {
  const auto w = some_weights();
  const auto r = random_tensor<T, D>({3, kWidth}, 9);
  TapRecorder taps;
  moe(w, kConfig, r, kEps, TapScope(taps, ""));
  std::vector<double> right;
  std::vector<double> no_root;
  std::vector<double> pre_normed;
  const auto normed = values_of(rms_norm_unscaled(r, kEps));
  const auto x2 = values_of(rms_norm(r, w.pre_feedforward_layernorm_2, kEps));
  for (std::size_t i = 0; i < normed.size(); ++i) {
    const auto scale = static_cast<double>(w.router_scale(i % kWidth));
    right.push_back(normed[i] * scale / 2);
    no_root.push_back(normed[i] * scale);
    pre_normed.push_back(x2[i] * scale / 2);
  }
  expect_avoided(taps.at("router_in").values, right, no_root, kBound);
  expect_avoided(taps.at("router_in").values, right, pre_normed, kBound);
}

// The branch, token by token and slot by slot, with experts as plain networks.
std::vector<double> plain_moe(const MoeWeights& w, const Tensor<T, D>& residual, bool halves) {
  Taps silent;
  const TapScope tap(silent, "");
  const auto routing = route(w, kConfig, residual, kEps, tap);
  const auto x2 = rms_norm(residual, w.pre_feedforward_layernorm_2, kEps);
  auto sum = make_tensor<T, D>({residual.shape()[0], kWidth});
  for (std::size_t t = 0; t < residual.shape()[0]; ++t) {
    const auto from = row(x2, t, kWidth);
    const auto one = tensor_of<T, D>({1, kWidth}, {from.begin(), from.end()});
    for (std::size_t x = 0; x < 2; ++x) {
      const auto e = static_cast<std::size_t>(routing.expert(t, x));
      const auto gate_up = w.gate_up_proj(e).weight;
      MlpWeights network{make_tensor<O, I>({3, kWidth}), make_tensor<O, I>({3, kWidth}),
                         w.down_proj(e)};
      for (std::size_t i = 0; i < 3 * kWidth; ++i) {
        const std::size_t f = i / kWidth;
        const std::size_t d = i % kWidth;
        network.gate_proj.weight(f, d) = gate_up(halves ? f : 2 * f, d);
        network.up_proj.weight(f, d) = gate_up(halves ? 3 + f : 2 * f + 1, d);
      }
      const auto z = mlp(network, one, tap);
      for (std::size_t d = 0; d < kWidth; ++d) {
        sum(t, d) += routing.weight(t, x) * z(0, d);
      }
    }
  }
  return values_of(rms_norm(sum, w.post_feedforward_layernorm_2, kEps));
}

// M-119
TEST(moe, gate_up_interleaved) {
  Taps silent;
  const auto w = some_weights();
  const auto r = random_tensor<T, D>({5, kWidth}, 9);
  const auto ours = values_of(moe(w, kConfig, r, kEps, TapScope(silent, "")));
  expect_avoided(ours, plain_moe(w, r, true), plain_moe(w, r, false), bound_of(2e-5, 1e-12));
}

// I-7
TEST(Moe, OrderOfExpertsIsImmaterial) {
  Taps silent;
  const std::vector<std::size_t> order = {2, 0, 3, 1};
  const auto w = some_weights();
  auto permuted = w;
  for (std::size_t e = 0; e < 4; ++e) {
    permuted.per_expert_scale(e) = w.per_expert_scale(order[e]);
    for (std::size_t d = 0; d < kWidth; ++d) {
      permuted.router_proj(e, d) = w.router_proj(order[e], d);
    }
  }
  permuted.gate_up_proj = [&order](std::size_t e) { return gate_up_of(order[e]); };
  permuted.down_proj = [&order](std::size_t e) { return down_of(order[e]); };
  const auto r = random_tensor<T, D>({5, kWidth}, 9);
  const TapScope tap(silent, "");
  expect_near(values_of(moe(permuted, kConfig, r, kEps, tap)),
              values_of(moe(w, kConfig, r, kEps, tap)), bound_of(1e-5, 1e-13));
}

// However many tokens chose it; an expert that nobody chose is left in the file.
TEST(Moe, WidensEachWeightOfAChosenExpertOnce) {
  Taps silent;
  auto w = with_logits({0, 3, -1, 2});
  std::vector<std::size_t> widened;
  w.gate_up_proj = [&widened](std::size_t e) {
    widened.push_back(e);
    return gate_up_of(e);
  };
  w.down_proj = [&widened](std::size_t e) {
    widened.push_back(10 + e);
    return down_of(e);
  };
  const auto r = tensor_of<T, D>({2, kWidth}, {1, -1, 1, -1, 1, 1, 1, 1});
  moe(w, kConfig, r, kEps, TapScope(silent, ""));
  EXPECT_EQ(widened, (std::vector<std::size_t>{1, 3, 11, 13}));
}

// A forced choice is followed; one that names no expert is an error, not a crash.
TEST(Moe, RefusesAForcedExpertThatDoesNotExist) {
  const auto w = some_weights();
  ForcedInteger two("topk_index", 2);
  EXPECT_EQ(route(w, kConfig, one_row(), kEps, TapScope(two, "")).expert(0, 0), 2);
  for (const std::int32_t e : {-1, 4, 1 << 30}) {
    ForcedInteger choice("topk_index", e);
    EXPECT_THROW(moe(w, kConfig, one_row(), kEps, TapScope(choice, "")), Error) << e;
  }
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
