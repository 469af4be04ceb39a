// SPDX-License-Identifier: Apache-2.0
#include "reference/model/drafter.h"

#include <gmock/gmock.h>

#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/model/generate.h"
#include "reference/testing/test_pair.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

const std::vector<std::int32_t> kPrompt = {2, 17, 5, 9, 31, 12, 7, 22, 38, 14, 3, 25};

// A cache after the prompt, and the target's last vector.
struct Prompted {
  KvCache cache;
  Tensor<T, D> hidden;
};

Prompted prompted(const Transformer& target, std::size_t reserve) {
  Prompted state{target.new_cache(reserve), {}};
  Taps silent;
  const auto result = target.forward(text_chunk(kPrompt, 0), state.cache, silent);
  const std::size_t width = target.config().hidden_size;
  state.hidden = make_tensor<T, D>({1, width});
  std::copy_n(result.final_norm.data() + (kPrompt.size() - 1) * width, width, state.hidden.data());
  return state;
}

TEST(Drafter, RefusesATargetThatIsNotItsOwn) {
  const auto e2b = Checkpoint::open(source_dir() + "/golden/checkpoints/e2b-tiny");
  const auto draft = Checkpoint::open(source_dir() + "/golden/checkpoints/26b-tiny-drafter");
  const Transformer target(e2b);
  EXPECT_EQ(error_of([&] { Drafter(draft, target); }),
            "drafter: backbone_hidden_size: got 32, expected the target's 36");
  EXPECT_THAT(error_of([&] { Drafter(e2b, target); }),
              testing::HasSubstr("got a gemma4 model, expected a drafter"));
}

// A ring that was made without room for drafting has too few keys for the wider window.
TEST(Drafter, RefusesACacheThatForgot) {
  const Pair pair("e2b-tiny");
  const auto state = prompted(pair.target, 0);
  Taps silent;
  const auto draft = [&](DraftWindow window) {
    return pair.drafter.draft(state.cache, 3, 12, state.hidden, 2, window, silent);
  };
  EXPECT_EQ(error_of([&] { draft(DraftWindow::kLastKeys); }),
            "drafter: got a cache that kept 3 keys, expected at least 5");
  EXPECT_EQ(draft(DraftWindow::kStandard).size(), 2u);
}

TEST(Drafter, RefusesATokenOutsideTheVocabulary) {
  const Pair pair("e2b-tiny");
  const auto state = prompted(pair.target, 4);
  Taps silent;
  EXPECT_THROW(
      pair.drafter.draft(state.cache, 64, 12, state.hidden, 1, DraftWindow::kStandard, silent),
      Error);
}

// W + 1 or W - 1 keys on sliding layers, all of them on the full one, none twice.
TEST(Drafter, SeesTheKeysOfItsWindow) {
  const Pair pair("e2b-tiny");  // W = 4
  const auto state = prompted(pair.target, 4);
  for (const auto window : {DraftWindow::kLastKeys, DraftWindow::kStandard}) {
    TapRecorder taps;
    pair.drafter.draft(state.cache, 3, 12, state.hidden, 1, window, taps);
    const auto visible = [&taps](int layer) {
      const std::string name = "mtp.step.0.layer." + std::to_string(layer) + ".attn.probs";
      const auto probs = taps.at(name).row(0);
      const std::size_t keys = taps.at(name).shape.back();
      return std::count_if(probs.begin(), probs.begin() + static_cast<std::ptrdiff_t>(keys),
                           [](double p) { return p > 0; });
    };
    EXPECT_EQ(visible(0), window == DraftWindow::kLastKeys ? 5 : 3);
    EXPECT_EQ(visible(3), 12);
  }
}

// R-73, M-145: the rotation of the queries is the same in every step.
TEST(drafter, position_advances) {
  const Pair pair("31b-tiny");
  const auto state = prompted(pair.target, 6);
  TapRecorder taps;
  pair.drafter.draft(state.cache, 3, 12, state.hidden, 3, DraftWindow::kLastKeys, taps);
  for (const std::string step : {"0", "1", "2"}) {
    const std::string at = "mtp.step." + step + ".layer.0.attn.";
    const std::size_t width = taps.at(at + "q_norm").shape.back();
    const auto normed = taps.at(at + "q_norm").row(0);
    const auto turned = taps.at(at + "q_rope").row(0);
    const auto expected = [&](double position) {  // channel 0 of head 0 turns by the position
      return normed[0] * std::cos(position) - normed[width / 2] * std::sin(position);
    };
    const double wrong = expected(12 + std::stoi(step));
    EXPECT_NEAR(turned[0], expected(12), bound_of(1e-6, 1e-14));
    EXPECT_EQ(std::abs(wrong - expected(12)) > 1e-3, step != "0");
  }
}

// M-140, M-142, M-149: token first, scaled; the next step goes on from post_proj.
TEST(drafter, wiring_of_its_input) {
  const Pair pair("26b-tiny");
  const auto state = prompted(pair.target, 6);
  TapRecorder taps;
  const auto drafted =
      pair.drafter.draft(state.cache, 3, 12, state.hidden, 2, DraftWindow::kLastKeys, taps);
  const auto table = pair.target.weights().matrix("embed_tokens.weight");
  const std::size_t width = table.shape()[1];
  std::vector<double> right;
  const auto scale = std::sqrt(static_cast<double>(width));
  for (std::size_t d = 0; d < width; ++d) {
    right.push_back(scale * static_cast<double>(table(static_cast<std::size_t>(drafted[0]), d)));
  }
  const auto hidden = taps.at("mtp.step.0.post_proj").values;
  right.insert(right.end(), hidden.begin(), hidden.end());
  auto wrong = hidden;
  wrong.insert(wrong.end(), right.begin(), right.begin() + static_cast<std::ptrdiff_t>(width));
  expect_avoided(taps.at("mtp.step.1.concat").values, right, wrong, bound_of(1e-6, 1e-14));
}

// M-150, M-151, R-77: candidates are rows of token_ordering read as [centroids, cluster].
TEST(drafter, ordering_read_the_other_way) {
  const Pair pair("e2b-tiny");
  const auto state = prompted(pair.target, 4);
  TapRecorder taps;
  pair.drafter.draft(state.cache, 3, 12, state.hidden, 1, DraftWindow::kLastKeys, taps);
  const auto ordering = pair.draft_checkpoint.read_integers("masked_embedding.token_ordering");
  const auto centroids = taps.at("mtp.step.0.centroid_index").values;
  const std::size_t count = taps.at("mtp.step.0.centroid_logits").values.size();
  const std::size_t cluster = ordering.size() / count;
  std::vector<double> right;
  std::vector<double> wrong;
  for (const double centroid : centroids) {
    for (std::size_t i = 0; i < cluster; ++i) {
      const auto c = static_cast<std::size_t>(centroid);
      right.push_back(static_cast<double>(ordering[c * cluster + i]));
      wrong.push_back(static_cast<double>(ordering[i * count + c]));
    }
  }
  expect_avoided(taps.at("mtp.step.0.candidate_ids").values, right, wrong, 0);
  const auto logits = taps.at("mtp.step.0.logits").values;
  double least = 1e9;
  for (const double id : right) {
    least = std::min(least, logits[static_cast<std::size_t>(id)]);
  }
  for (std::size_t v = 0; v < logits.size(); ++v) {
    const bool candidate = std::find(right.begin(), right.end(), v) != right.end();
    EXPECT_TRUE(candidate || logits[v] == static_cast<double>(static_cast<Real>(least) - Real(1)));
  }
}

// M-152: a key that was taken back is not seen.
TEST(drafter, rejected_keys_left_visible) {
  Taps silent;
  for (const std::string name : {"e2b-tiny", "e4b-tiny", "12b-tiny", "26b-tiny", "31b-tiny"}) {
    const Pair pair(name);
    for (const auto window : {DraftWindow::kLastKeys, DraftWindow::kStandard}) {
      auto state = prompted(pair.target, 6);
      TapRecorder before;
      pair.drafter.draft(state.cache, 3, 12, state.hidden, 3, window, before);
      pair.target.forward(text_chunk({60, 61, 62}, 12), state.cache, silent);
      TapRecorder stale;
      pair.drafter.draft(state.cache, 3, 12, state.hidden, 3, window, stale);
      state.cache.forget_from(12);
      TapRecorder after;
      pair.drafter.draft(state.cache, 3, 12, state.hidden, 3, window, after);
      const std::string logits = "mtp.step.2.logits";
      EXPECT_GT(largest_difference(stale.at(logits).values, before.at(logits).values), 1e-3);
      expect_near(after.at(logits).values, before.at(logits).values, bound_of(1e-4, 1e-12));
    }
  }
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
