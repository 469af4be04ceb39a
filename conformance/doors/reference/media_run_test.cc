// SPDX-License-Identifier: Apache-2.0
// Whole runs of cases with media, through the interface.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "conformance/doors/reference/reference_adapter.h"
#include "conformance/records/tap.h"
#include "conformance/testing/keeping_listener.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

using testing::HasSubstr;

std::unique_ptr<Implementation> loaded(const std::string& name) {
#ifdef ASSAY_FP64
  auto reference = make_reference_f64();
#else
  auto reference = make_reference_f32();
#endif
  const Status status = reference->load(source_dir() + "/golden/checkpoints/" + name, "");
  EXPECT_TRUE(status.ok()) << status.message;
  return reference;
}

using Listener = KeepingListener;
using Change = Listener::Change;

// An image of 4 x 2 pixels, which makes 55 soft tokens, and an audio clip of two.
CaseInput two_items(std::int32_t image_type) {
  CaseInput input;
  for (std::int32_t t = 0; t < 70; ++t) {
    input.ids.push_back(7 + t % 13);
  }
  input.token_types.assign(70, 0);
  std::fill_n(input.token_types.begin() + 2, 55, image_type);
  std::fill_n(input.token_types.begin() + 60, 2, 3);
  MediaItem image;
  image.kind = image_type == 1 ? MediaKind::kImage : MediaKind::kFrame;
  image.budget = 70;
  image.rgb = {{2, 4, 3}, {}};
  for (int i = 0; i < 24; ++i) {
    image.rgb.values.push_back(i * 59 % 256);
  }
  MediaItem audio;
  audio.kind = MediaKind::kAudio;
  audio.samples = {{900}, {}};
  for (int n = 0; n < 900; ++n) {
    audio.samples.values.push_back(0.25 * std::sin(0.3 * n));
  }
  input.media = {image, audio};
  return input;
}

Listener run(const std::string& checkpoint, const CaseInput& input, const RunOptions& options) {
  auto reference = loaded(checkpoint);
  Listener listener;
  const Status status = reference->run(input, options, listener);
  EXPECT_TRUE(status.ok()) << status.message;
  return listener;
}

double relative_distance(const Tap& a, const Tap& b) {
  double difference = 0;
  double size = 0;
  EXPECT_EQ(a.shape, b.shape) << a.name;
  for (std::size_t i = 0; i < std::min(a.values.size(), b.values.size()); ++i) {
    difference += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
    size += b.values[i] * b.values[i];
  }
  return size == 0 ? difference : std::sqrt(difference / size);
}

#ifdef ASSAY_FP64
constexpr double kBound = 1e-13;
#else
constexpr double kBound = 1e-5;
#endif

// Encoders run once, however the prompt is cut, and their rows are no tokens.
TEST(MediaRun, ChunksChangeNothing) {
  for (const std::string checkpoint : {"e2b-media-tiny", "12b-media-tiny"}) {
    const auto input = two_items(1);
    const Listener whole = run(checkpoint, input, {});
    for (const std::size_t chunk : {1u, 3u, 60u}) {
      RunOptions options;
      options.prefill_chunk = chunk;
      const Listener pieces = run(checkpoint, input, options);
      EXPECT_EQ(pieces.order.size(), pieces.taps.size());
      EXPECT_EQ(pieces.order.size(), whole.order.size());
      for (const auto& [name, tap] : whole.taps) {
        const bool of_pieces = name.find(".cache.") != std::string::npos ||
                               name.ends_with(".scores");  // hidden keys are not looked at
        if (!of_pieces) {
          ASSERT_TRUE(pieces.taps.contains(name)) << name;
          EXPECT_LE(relative_distance(pieces.taps.at(name), tap), kBound) << name;
        }
      }
    }
  }
}

TEST(MediaRun, MediaComeBeforeTheText) {
  const Listener listener = run("e2b-media-tiny", two_items(2), {});
  EXPECT_EQ(listener.order.front(), "media.0.image.rgb");
  const auto text = std::ranges::find(listener.order, "text.ids_expanded");
  ASSERT_NE(text, listener.order.end());
  EXPECT_EQ(*(text - 1), "media.1.audio.embed.out");
  EXPECT_EQ(listener.taps.at("text.mm_type").values[2], 2);
  const Tap& soft = listener.taps.at("media.0.vision.embed.out");
  const Tap& embed = listener.taps.at("text.embed");
  const std::size_t width = soft.shape[1];
  EXPECT_TRUE(std::equal(soft.values.begin(), soft.values.end(),
                         embed.values.begin() + static_cast<std::ptrdiff_t>(2 * width)));
}

// What a listener writes into a media tap reaches the logits.
TEST(MediaRun, GoesOnFromForcedMediaTaps) {
  const auto input = two_items(1);
  auto reference = loaded("e4b-media-tiny");
  const auto logits_with = [&](const std::string& name) {
    Listener listener([&name](Tap& tap) {
      if (tap.name == name) {
        std::ranges::reverse(tap.values);
      }
    });
    EXPECT_TRUE(reference->run(input, {}, listener).ok()) << name;
    return listener.taps.at("text.logits").values;
  };
  const auto plain = logits_with("");
  for (const char* name :
       {"media.0.image.rgb", "media.0.image.resized", "media.0.image.patches",
        "media.0.vision.layer.1.attn.q_rope", "media.0.vision.pool", "media.0.vision.embed.out",
        "media.1.audio.samples", "media.1.audio.magnitude", "media.1.audio.mel",
        "media.1.audio.layer.1.attn.probs", "media.1.audio.tower_out", "text.ids_expanded"}) {
    EXPECT_NE(logits_with(name), plain) << name;
  }
  for (const char* name : {"media.0.image.target_size", "media.1.audio.mel_mask"}) {
    EXPECT_EQ(logits_with(name), plain) << name;
  }
}

TEST(MediaRun, EachSwitchReachesTheModel) {
  const auto input = two_items(1);
  const auto plain = run("12b-media-tiny", input, {}).taps;
  RunOptions options;
  options.profile = "text.vision_mask=all_layers";
  EXPECT_NE(run("12b-media-tiny", input, options).taps.at("text.mask.global").values,
            plain.at("text.mask.global").values);
  options.profile = "image.resample=float";
  EXPECT_FALSE(run("12b-media-tiny", input, options).taps.contains("media.0.image.resized"));
  options.profile = "audio.embed_order=proj_norm";
  EXPECT_NE(run("12b-media-tiny", input, options).taps.at("media.1.audio.embed.out").values,
            plain.at("media.1.audio.embed.out").values);
}

TEST(MediaRun, BadInputIsAStatus) {
  auto reference = loaded("26b-media-tiny");
  Listener listener;
  EXPECT_EQ(reference->run(two_items(1), {}, listener).code,
            StatusCode::kBadInput);  // no audio clips
  auto input = two_items(1);
  input.media.pop_back();
  const Status status = reference->run(input, {}, listener);
  EXPECT_EQ(status.code, StatusCode::kBadInput);
  EXPECT_THAT(status.message, HasSubstr("soft-token embeddings: got 55 rows, expected 57"));
  RunOptions options;
  options.profile = "audio.window_keys=14";
  const Status profile = reference->run(input, options, listener);
  EXPECT_EQ(profile.code, StatusCode::kBadInput);
  EXPECT_THAT(profile.message, HasSubstr("audio.window_keys"));
}

}  // namespace
}  // namespace assay::conformance
