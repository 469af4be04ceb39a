// SPDX-License-Identifier: Apache-2.0
#include "reference/model/transformer.h"

#include <set>

#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/model/generate.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Checkpoint golden(const std::string& name) {
  return Checkpoint::open(source_dir() + "/golden/checkpoints/" + name);
}

// Text with images at [first, end).
TokenChunk with_image(std::size_t count, std::size_t first, std::size_t end, std::size_t width) {
  std::vector<std::int32_t> ids(count);
  for (std::size_t t = 0; t < count; ++t) {
    ids[t] = static_cast<std::int32_t>(10 + t);
  }
  TokenChunk chunk = text_chunk(ids, 0);
  chunk.soft = random_tensor<T, D>({count, width}, 3);
  std::fill(chunk.types.begin() + static_cast<std::ptrdiff_t>(first),
            chunk.types.begin() + static_cast<std::ptrdiff_t>(end), TokenType::kImage);
  return chunk;
}

TEST(Transformer, RefusesAnIncompleteChunk) {
  const auto checkpoint = golden("e2b-tiny");
  const Transformer model(checkpoint);
  KvCache cache = model.new_cache();
  Taps silent;
  EXPECT_THROW(model.forward(text_chunk({}, 0), cache, silent), Error);
  for (const int missing : {0, 1, 2}) {
    TokenChunk chunk = text_chunk({1, 2, 3}, 0);
    if (missing == 0) {
      chunk.types.pop_back();
    } else if (missing == 1) {
      chunk.positions.pop_back();
    } else {
      chunk.valid.pop_back();
    }
    EXPECT_THROW(model.forward(chunk, cache, silent), Error) << missing;
  }
  EXPECT_EQ(cache.length(), 0u);
}

TEST(Transformer, RefusesIdsOutsideTheVocabulary) {
  const auto checkpoint = golden("26b-tiny");
  const Transformer model(checkpoint);
  KvCache cache = model.new_cache();
  Taps silent;
  EXPECT_THROW(model.forward(text_chunk({2, 64}, 0), cache, silent), Error);
  EXPECT_THROW(model.forward(text_chunk({-2}, 0), cache, silent), Error);
  EXPECT_EQ(cache.length(), 0u);
}

TEST(Transformer, RefusesPlaceholdersWithoutSoftTokenEmbeddings) {
  const auto checkpoint = golden("26b-tiny");
  const Transformer model(checkpoint);
  KvCache cache = model.new_cache();
  Taps silent;
  TokenChunk chunk = with_image(4, 1, 3, model.config().hidden_size);
  chunk.soft = make_tensor<T, D>({4, 5});
  EXPECT_THROW(model.forward(chunk, cache, silent), Error);
  chunk.soft = make_tensor<T, D>({2, model.config().hidden_size});
  EXPECT_THROW(model.forward(chunk, cache, silent), Error);
}

//
TEST(Transformer, RefusesToCutAVisionBlock) {
  const auto checkpoint = golden("12b-tiny");
  const Transformer model(checkpoint);
  const TokenChunk chunk = with_image(8, 2, 6, model.config().hidden_size);
  Taps silent;
  for (const std::size_t cut : {3u, 4u, 5u}) {
    KvCache cache = model.new_cache();
    model.forward(slice(chunk, 0, cut), cache, silent);
    EXPECT_EQ(error_of([&] { model.forward(slice(chunk, cut, 8), cache, silent); }),
              "forward: got a chunk that starts inside a vision block, expected the block whole");
  }
  for (const std::size_t cut : {1u, 2u, 6u, 7u}) {
    KvCache cache = model.new_cache();
    model.forward(slice(chunk, 0, cut), cache, silent);
    model.forward(slice(chunk, cut, 8), cache, silent);
    EXPECT_EQ(cache.length(), 8u);
  }
}

// M-75: E2B and E4B have no blocks, so their images may be cut anywhere. M-76: nor have audio
// clips.
TEST(Transformer, CutsImagesWhereThereAreNoBlocks) {
  Taps silent;
  for (const std::string name : {"e2b-tiny", "12b-tiny"}) {
    const auto checkpoint = golden(name);
    const Transformer model(checkpoint);
    TokenChunk chunk = with_image(8, 2, 6, model.config().hidden_size);
    if (name == "12b-tiny") {
      std::fill(chunk.types.begin() + 2, chunk.types.begin() + 6, TokenType::kAudio);
    }
    KvCache cache = model.new_cache();
    model.forward(slice(chunk, 0, 4), cache, silent);
    model.forward(slice(chunk, 4, 8), cache, silent);
    EXPECT_EQ(cache.length(), 8u) << name;
  }
}

TapRecorder taps_of(const Transformer& model, const TokenChunk& chunk) {
  KvCache cache = model.new_cache();
  TapRecorder taps;
  model.forward(chunk, cache, taps);
  return taps;
}

// M-22, R-13, RX-12: soft-token embeddings go in as they are, and what the row held before is
// immaterial.
TEST(embedder, soft_embeddings_scaled) {
  const auto checkpoint = golden("12b-tiny");
  const Transformer model(checkpoint);
  TokenChunk chunk = with_image(4, 1, 3, model.config().hidden_size);
  const auto taps = taps_of(model, chunk);
  const std::size_t width = model.config().hidden_size;
  for (const std::size_t t : {1u, 2u}) {
    const auto soft = row(chunk.soft, t, width);
    EXPECT_EQ(taps.at("text.embed").row(t), std::vector<double>(soft.begin(), soft.end()));
  }
  chunk.ids[1] = 63;
  EXPECT_EQ(taps_of(model, chunk).at("text.logits").values, taps.at("text.logits").values);
}

// 15 tokens for a window of 5: 0 1 are text, 2 begins an image at 3 4, 5 ends it, 6 begins one of
// six at 7 ... 12, 13 ends it.
TokenChunk two_images(std::size_t width) {
  TokenChunk chunk = with_image(15, 3, 5, width);
  std::fill(chunk.types.begin() + 7, chunk.types.begin() + 13, TokenType::kImage);
  return chunk;
}

double visible(const TapRecorder& taps, const std::string& mask, std::size_t q, std::size_t s) {
  return taps.at("text.mask." + mask).row(q).at(s);
}

// X10, X13: what begins and ends an image is outside of the block, and two images are two.
TEST(vision_block, markers_inside_and_images_as_one) {
  const auto checkpoint = golden("12b-tiny");
  const Transformer model(checkpoint);
  const auto taps = taps_of(model, two_images(model.config().hidden_size));
  EXPECT_EQ(visible(taps, "local", 3, 4), 1);
  EXPECT_EQ(visible(taps, "local", 2, 3), 0);  // the beginning sees no later token
  EXPECT_EQ(visible(taps, "local", 4, 5), 0);  // nor does the image see its end
  EXPECT_EQ(visible(taps, "local", 4, 7), 0);  // nor the next image, which is in reach
}

// X12, X15, RX-15: full layers stay causal, and the window closes over the block.
TEST(vision_block, full_layers_opened_and_window_ignored) {
  const auto checkpoint = golden("12b-tiny");
  const Transformer model(checkpoint);
  ASSERT_EQ(model.config().sliding_window, 5u);
  const auto taps = taps_of(model, two_images(model.config().hidden_size));
  EXPECT_EQ(visible(taps, "global", 3, 4), 0);
  EXPECT_EQ(visible(taps, "local", 7, 11), 1);
  EXPECT_EQ(visible(taps, "local", 7, 12), 0);
  EXPECT_EQ(visible(taps, "local", 12, 7), 0);
}

// X11, X14, X17, RX-14: no block on E2B and none of audio; video frames are blocks as images are.
TEST(vision_block, of_the_wrong_kind) {
  const auto e2b = golden("e2b-tiny");
  const Transformer without(e2b);
  EXPECT_EQ(visible(taps_of(without, two_images(without.config().hidden_size)), "local", 3, 4), 0);
  const auto checkpoint = golden("12b-tiny");
  const Transformer model(checkpoint);
  TokenChunk chunk = two_images(model.config().hidden_size);
  std::fill(chunk.types.begin() + 3, chunk.types.begin() + 5, TokenType::kAudio);
  std::fill(chunk.types.begin() + 7, chunk.types.begin() + 13, TokenType::kVideo);
  const auto taps = taps_of(model, chunk);
  EXPECT_EQ(visible(taps, "local", 3, 4), 0);
  EXPECT_EQ(visible(taps, "local", 7, 8), 1);
}

// X16, RX-17: row by row as in one call, when the chunks keep the blocks whole.
TEST(vision_block, whole_in_its_chunk) {
  const auto checkpoint = golden("12b-tiny");
  for (const auto mask :
       {VisionMask::kSlidingClamped, VisionMask::kSlidingPastClamped, VisionMask::kSlidingUnclamped,
        VisionMask::kAllLayers, VisionMask::kAllLayersClamped}) {
    const Transformer model(checkpoint, {}, mask);
    const TokenChunk chunk = two_images(model.config().hidden_size);
    const auto logits = taps_of(model, chunk).at("text.logits");
    KvCache cache = model.new_cache();
    Taps silent;
    std::size_t first = 0;
    for (const std::size_t end : {1u, 5u, 6u, 13u, 15u}) {
      const auto part = model.forward(slice(chunk, first, end), cache, silent).logits;
      for (std::size_t t = first; t < end; ++t) {
        const auto ours = row(part, t - first, part.shape()[1]);
        expect_near({ours.begin(), ours.end()}, logits.row(t), bound_of(1e-4, 1e-12));
      }
      first = end;
    }
  }
}

// DIV-M17: the logits tell each choice from the others.
TEST(Transformer, EachVisionMaskShows) {
  const auto checkpoint = golden("12b-tiny");
  std::set<std::vector<double>> logits;
  for (const auto mask :
       {VisionMask::kSlidingClamped, VisionMask::kSlidingPastClamped, VisionMask::kSlidingUnclamped,
        VisionMask::kAllLayers, VisionMask::kAllLayersClamped}) {
    const Transformer model(checkpoint, {}, mask);
    const TokenChunk chunk = two_images(model.config().hidden_size);
    const auto taps = taps_of(model, chunk);
    logits.insert(taps.at("text.logits").values);
    EXPECT_EQ(visible(taps, "global", 3, 4), opens_full_layers(mask) ? 1 : 0);
  }
  EXPECT_EQ(logits.size(), 5u);
}

// M-20
TEST(embedder, root_of_width_omitted) {
  const auto checkpoint = golden("12b-tiny");
  const Transformer model(checkpoint);
  const auto taps = taps_of(model, text_chunk({5, 6}, 0));
  const auto rows = taps.at("text.embed_rows").values;
  auto right = rows;
  for (double& value : right) {
    value *= std::sqrt(static_cast<double>(model.config().hidden_size));
  }
  expect_avoided(taps.at("text.embed_scaled").values, right, rows, bound_of(1e-6, 1e-14));
}

// M-24, M-28, R-14, RX-10, RX-16: placeholders look up the pad row; the tokens beside them keep
// their own.
TEST(per_layer_input, placeholder_row) {
  const auto checkpoint = golden("e2b-tiny");
  const Transformer model(checkpoint);
  TokenChunk chunk = with_image(5, 2, 4, model.config().hidden_size);
  chunk.ids = {2, 48, 49, 49, 50};
  EXPECT_EQ(taps_of(model, chunk).at("text.ple.ids").values,
            std::vector<double>({2, 48, 0, 0, 50}));
}

// M-84, M-85, R-01: S F S S | S F F in this checkpoint.
TEST(kv_sharing, wrong_layer) {
  const auto checkpoint = golden("e2b-sharing");
  const Transformer model(checkpoint);
  const auto taps = taps_of(model, text_chunk({2, 3}, 0));
  const std::vector<double> sources = {0, 1, 2, 3, 3, 1, 1};
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::string layer = "text.layer." + std::to_string(i) + ".attn.";
    EXPECT_EQ(taps.at(layer + "kv_source").values[0], sources[i]);
    const std::string source =
        "text.layer." + std::to_string(static_cast<int>(sources[i])) + ".attn.";
    EXPECT_EQ(taps.at(layer + "k_ctx").values, taps.at(source + "k_rope").values);
    EXPECT_EQ(taps.at(layer + "v_ctx").values, taps.at(source + "v_norm").values);
  }
}

// M-130
TEST(logits, softcap_forgotten) {
  const auto checkpoint = golden("31b-tiny");
  const Transformer model(checkpoint);
  const auto taps = taps_of(model, text_chunk({2, 17, 5}, 0));
  const auto raw = taps.at("text.logits_raw").values;
  auto right = raw;
  for (double& value : right) {
    value = 30 * std::tanh(value / 30);
  }
  expect_avoided(taps.at("text.logits").values, right, raw, bound_of(1e-5, 1e-13));
}

// R-65, M-91: what was taken back leaves no trace, though the rings have wrapped.
TEST(Transformer, TakenBackTokensLeaveNoTrace) {
  Taps silent;
  for (const std::string name : {"e2b-tiny", "e4b-tiny", "12b-tiny", "26b-tiny", "31b-tiny"}) {
    const auto checkpoint = golden(name);
    const Transformer model(checkpoint);
    const TokenChunk prompt = text_chunk({2, 17, 5, 9, 31, 12, 7, 22, 38, 14, 3, 25}, 0);
    KvCache straight = model.new_cache(4);
    model.forward(prompt, straight, silent);
    KvCache detour = model.new_cache(4);
    model.forward(prompt, detour, silent);
    model.forward(text_chunk({60, 61, 62, 63}, 12), detour, silent);
    detour.forget_from(12);
    for (std::size_t t = 12; t < 20; ++t) {
      const auto next = text_chunk({static_cast<std::int32_t>(t)}, t);
      const auto expected = model.forward(next, straight, silent).logits;
      EXPECT_EQ(values_of(model.forward(next, detour, silent).logits), values_of(expected))
          << name << " at " << t;
    }
  }
}

// What a listener writes into a tap is what the run goes on from.
TEST(Transformer, GoesOnFromAForcedTap) {
  const auto checkpoint = golden("26b-tiny");
  const Transformer model(checkpoint);
  const auto chunk = text_chunk({2, 17, 5}, 0);
  const auto before = taps_of(model, chunk).at("text.logits").values;
  const std::map<std::string, std::int32_t> others = {{"text.ids", 9},
                                                      {"text.positions", 5},
                                                      {"text.mask.local", 0},
                                                      {"text.layer.2.moe.topk_index", 6}};
  for (const auto& [name, value] : others) {
    KvCache cache = model.new_cache();
    ForcedInteger forced(name, value);
    EXPECT_NE(values_of(model.forward(chunk, cache, forced).logits), before) << name;
  }
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
