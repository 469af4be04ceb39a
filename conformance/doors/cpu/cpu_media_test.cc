// SPDX-License-Identifier: Apache-2.0
// Media on the CPU engine: whole runs and conversations, beside the reference, and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "conformance/doors/cpu/cpu_adapter.h"
#include "conformance/doors/cpu/cpu_kind.h"
#include "conformance/doors/reference/reference_adapter.h"
#include "conformance/doors/reference/reference_session.h"
#include "conformance/testing/keeping_listener.h"
#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

using Ids = std::vector<std::int32_t>;

std::string checkpoint(const std::string& name) {
  return source_dir() + "/golden/checkpoints/" + name;
}

// 4 x 2 pixels make 55 soft tokens of a budget of 70.
MediaItem small_image() {
  MediaItem image;
  image.kind = MediaKind::kImage;
  image.budget = 70;
  image.rgb = {{2, 4, 3}, {}};
  for (int i = 0; i < 24; ++i) {
    image.rgb.values.push_back(i * 59 % 256);
  }
  return image;
}

MediaItem short_audio(std::size_t samples) {
  MediaItem audio;
  audio.kind = MediaKind::kAudio;
  audio.samples = {{samples}, {}};
  for (std::size_t n = 0; n < samples; ++n) {
    audio.samples.values.push_back(0.25 * std::sin(0.3 * static_cast<double>(n)));
  }
  return audio;
}

Ids text_ids(std::size_t count) {
  Ids ids;
  for (std::size_t t = 0; t < count; ++t) {
    ids.push_back(static_cast<std::int32_t>(7 + t % 13));
  }
  return ids;
}

CaseInput with_image_and_audio() {
  CaseInput input;
  input.ids = text_ids(70);
  input.token_types.assign(70, 0);
  std::fill_n(input.token_types.begin() + 2, 55, 1);
  std::fill_n(input.token_types.begin() + 60, 2, 3);
  input.media = {small_image(), short_audio(900)};
  return input;
}

KeepingListener run(Implementation& implementation, const std::string& name, const CaseInput& input,
                    const RunOptions& options = {}) {
  EXPECT_TRUE(implementation.load(checkpoint(name), "").ok());
  KeepingListener listener;
  const Status status = implementation.run(input, options, listener);
  EXPECT_TRUE(status.ok()) << status.message;
  return listener;
}

Status status_of_run(const std::string& name, const CaseInput& input,
                     const RunOptions& options = {}) {
  const auto engine = make_cpu("f32");
  EXPECT_TRUE(engine->load(checkpoint(name), "").ok());
  KeepingListener listener;
  return engine->run(input, options, listener);
}

double relative_distance(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return size == 0 ? difference : std::sqrt(difference / size);
}

// Taps under the reference's names, in its order, with its values; what fusions do not leave is
// left out, and nothing else.
TEST(CpuMedia, TapsAreTheReferences) {
  for (const std::string name : {"e2b-media-tiny", "12b-media-tiny"}) {
    const auto theirs = run(*make_reference_f32(), name, with_image_and_audio());
    const auto ours = run(*make_cpu("f32"), name, with_image_and_audio());
    std::vector<std::string> shared;
    for (const std::string& tap : theirs.order) {
      if (!tap.starts_with("media.")) {
        continue;
      }
      const bool fused = tap.find(".vision.layer.") != std::string::npos &&
                         (tap.ends_with("attn.logits") || tap.ends_with("attn.probs"));
      ASSERT_EQ(ours.taps.contains(tap), !fused) << name << " " << tap;
      if (!fused) {
        shared.push_back(tap);
        EXPECT_EQ(ours.taps.at(tap).shape, theirs.taps.at(tap).shape) << tap;
        EXPECT_LE(relative_distance(ours.taps.at(tap).values, theirs.taps.at(tap).values), 1e-5)
            << name << " " << tap;
      }
    }
    std::vector<std::string> order = ours.order;
    std::erase_if(order, [](const std::string& tap) { return !tap.starts_with("media."); });
    EXPECT_EQ(order, shared) << name;
  }
}

TEST(CpuMedia, ThreadsChangeNoBit) {
  use_cpu_threads(1);
  const auto one = run(*make_cpu("f32"), "e2b-media-tiny", with_image_and_audio());
  use_cpu_threads(3);
  const auto three = run(*make_cpu("f32"), "e2b-media-tiny", with_image_and_audio());
  use_cpu_threads(1);
  ASSERT_EQ(one.order, three.order);
  for (const auto& [name, tap] : one.taps) {
    EXPECT_EQ(three.taps.at(name).values, tap.values) << name;
  }
}

// A prompt with one placeholder for each item.
PromptRequest prompt_with_media(const std::string& name) {
  const auto config = Checkpoint::open(checkpoint(name)).config();
  PromptRequest prompt;
  prompt.ids = text_ids(9);
  prompt.ids[3] = config.text.special.image;
  prompt.ids[6] = config.text.special.audio;
  prompt.media = {small_image(), short_audio(900)};
  return prompt;
}

TEST(CpuMedia, AConversationBeginsLikeTheReferences) {
  for (const std::string name : {"e2b-media-tiny", "12b-media-tiny"}) {
    SessionRequest request;
    request.checkpoint = checkpoint(name);
    Ids our_ids;
    Ids their_ids;
    Logits ours;
    Logits theirs;
    const auto session = make_cpu_session("f32", request);
    const Status status = session->begin(prompt_with_media(name), our_ids, ours);
    ASSERT_TRUE(status.ok()) << status.message;
    ASSERT_TRUE(make_reference_session_f32(request)
                    ->begin(prompt_with_media(name), their_ids, theirs)
                    .ok());
    EXPECT_EQ(our_ids, their_ids);
    EXPECT_EQ(session->length(), our_ids.size());
    EXPECT_LE(relative_distance(ours.values, theirs.values), 1e-5) << name;
  }
}

// What outgrows the cache is computed again, and the media of the prompt with it.
TEST(CpuMedia, AConversationThatOutgrowsItsCacheKeepsItsMedia) {
  SessionRequest request;
  request.checkpoint = checkpoint("e2b-media-tiny");
  const Ids more = text_ids(500);
  PromptRequest prompt = prompt_with_media("e2b-media-tiny");
  const auto grown = make_cpu_session("f32", request);
  Ids ids;
  Logits last;
  ASSERT_TRUE(grown->begin(prompt, ids, last).ok());
  for (int round = 0; round < 9; ++round) {
    const Status status = grown->extend(more, last);
    ASSERT_TRUE(status.ok()) << status.message;
    prompt.ids.insert(prompt.ids.end(), more.begin(), more.end());
  }
  const std::vector<double> end(last.values.end() - static_cast<std::ptrdiff_t>(last.vocabulary()),
                                last.values.end());
  ASSERT_GT(grown->length(), 4096u);
  Logits whole;
  ASSERT_TRUE(make_cpu_session("f32", request)->begin(prompt, ids, whole).ok());
  EXPECT_LE(relative_distance(end, whole.values), 1e-5);
}

TEST(CpuMedia, WhatIsNotComputedIsNotSupported) {
  RunOptions options;
  options.profile = "vision.pad_mask=additive_bool";
  const Status status = status_of_run("e2b-media-tiny", with_image_and_audio(), options);
  EXPECT_EQ(status.code, StatusCode::kNotSupported);
  EXPECT_EQ(status.message, "vision.pad_mask=additive_bool: this engine leaves padding out");
  EXPECT_TRUE(status_of_run("12b-media-tiny", with_image_and_audio(), options).ok());  // no padding
}

TEST(CpuMedia, RefusesWhatDoesNotFit) {
  CaseInput audio;
  audio.ids = text_ids(6);
  audio.token_types = {0, 0, 3, 3, 0, 0};
  audio.media = {short_audio(900)};
  EXPECT_EQ(status_of_run("26b-media-tiny", audio).message,
            "media 0 (audio): audio: got a checkpoint that takes none, expected one with an audio "
            "encoder");
  audio.media = {short_audio(100)};
  EXPECT_EQ(status_of_run("e2b-media-tiny", audio).message,
            "media 0 (audio): audio: got 100 samples, which make no frame, expected more");
  audio.media[0].samples.values[40] = std::nan("");
  EXPECT_NE(status_of_run("12b-media-tiny", audio).message.find("40"), std::string::npos);

  CaseInput mel = audio;
  mel.media[0].samples = {};
  mel.media[0].mel = {{8, 128}, std::vector<double>(8 * 128, 0.5)};
  mel.media[0].mel_mask = {{9}, std::vector<double>(9, 1.0)};
  EXPECT_EQ(status_of_run("e2b-media-tiny", mel).message,
            "media 0: mel mask: got 9 entries, expected 8, one for each frame");
  mel.media[0].mel_mask = {{8}, std::vector<double>(8, 0.0)};
  EXPECT_EQ(status_of_run("e2b-media-tiny", mel).message,
            "media 0 (audio): audio: got no valid frame, expected at least one");

  CaseInput image = audio;
  image.token_types = {0, 1, 0, 0, 0, 0};
  MediaItem patches;
  patches.patches = {{9, 768}, std::vector<double>(9 * 768, 0.5)};
  patches.positions = {{9, 2}, {0, 0, 1, 0, 2, 0, 0, 1, 1, 1, 2, 1, 0, 2, 1, 2, 2, 3}};
  image.media = {patches};
  EXPECT_EQ(status_of_run("e2b-media-tiny", image).message,
            "media 0 (image): image: got 9 patches in a grid of 3 x 4, expected 12");
  image.media[0].positions.values[0] = 5000;
  EXPECT_NE(status_of_run("e2b-media-tiny", image).message.find("slot 0: got position (5000, 0)"),
            std::string::npos);
}

}  // namespace
}  // namespace assay::conformance
