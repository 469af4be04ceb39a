// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/media_items.h"

#include <fstream>
#include <iterator>

#include "conformance/doors/reference/media_coder.h"
#include "reference/family/media/video_file.h"
#include "reference/family/preprocess/log_mel.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/model/transformer.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

using conformance::CaseInput;
using conformance::MediaItem;

const std::string kRoot = source_dir() + "/golden/";

std::vector<std::uint8_t> file(const std::string& name) {
  std::ifstream stream(kRoot + "media/" + name, std::ios::binary);
  EXPECT_TRUE(stream) << name;
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

MediaItem from_file(MediaKind kind, const std::string& name, std::size_t budget = 0) {
  MediaItem item;
  item.kind = kind;
  item.file = file(name);
  item.budget = budget;
  return item;
}

struct Part {
  TokenType type;
  std::size_t count;
};

// Text, then each run with text after it.
std::vector<std::int32_t> types_with(const std::vector<Part>& parts) {
  std::vector<std::int32_t> types(2, 0);
  for (const Part& part : parts) {
    types.insert(types.end(), part.count, static_cast<std::int32_t>(part.type));
    types.push_back(0);
  }
  return types;
}

struct Encoded {
  std::vector<MediaItem> media;
  TapRecorder taps;
};

Encoded encode(const std::string& checkpoint_name, const std::vector<MediaItem>& media,
               const std::vector<Part>& parts) {
  const auto checkpoint = Checkpoint::open(kRoot + "checkpoints/" + checkpoint_name);
  const MediaEncoder encoder(checkpoint);
  CaseInput input;
  input.media = media;
  Encoded encoded;
  ReferenceCoder coder(encoder, encoded.taps);
  encoded.media =
      conformance::encode_media(input, types_with(parts), checkpoint.config().processor, coder)
          .media;
  return encoded;
}

std::string refusal(const std::vector<MediaItem>& media, const std::vector<Part>& parts,
                    const std::string& checkpoint = "e2b-media-tiny") {
  return error_of([&] { encode(checkpoint, media, parts); });
}

constexpr auto kImage = TokenType::kImage;
constexpr auto kVideo = TokenType::kVideo;
constexpr auto kAudio = TokenType::kAudio;

// RI-1: decoded, upright, RGB.
TEST(EncodeMedia, FilesBecomeSoftTokenEmbeddings) {
  const auto encoded = encode(
      "e2b-media-tiny",
      {from_file(MediaKind::kImage, "one-pixel.png", 70), from_file(MediaKind::kAudio, "tone.wav")},
      {{kImage, 64}, {kAudio, 25}});
  ASSERT_EQ(encoded.media.size(), 2u);
  EXPECT_EQ(encoded.media[0].rows, 64u);
  EXPECT_EQ(encoded.media[1].rows, 25u);
  EXPECT_EQ(encoded.media[0].values, encoded.taps.at("media.0.vision.embed.out").values);
  EXPECT_EQ(encoded.media[1].values, encoded.taps.at("media.1.audio.embed.out").values);
}

// The checkpoint's 70 makes 64 soft tokens of a square; others fit other runs.
TEST(EncodeMedia, TakesTheBudgetThatFits) {
  for (const std::size_t placeholders : {64u, 121u, 256u}) {
    const auto encoded = encode("12b-media-tiny", {from_file(MediaKind::kImage, "one-pixel.png")},
                                {{kImage, placeholders}});
    EXPECT_EQ(encoded.media[0].rows, placeholders);
  }
  EXPECT_EQ(
      refusal({from_file(MediaKind::kImage, "one-pixel.png")}, {{kImage, 65}}, "12b-media-tiny"),
      "media 0 (image): got 64 soft tokens, expected 65, the placeholders from position 2 "
      "on");
  EXPECT_EQ(refusal({from_file(MediaKind::kImage, "one-pixel.png", 70)}, {{kImage, 121}},
                    "12b-media-tiny"),
            "media 0 (image): got 64 soft tokens, expected 121, the placeholders from position 2 "
            "on");
}

MediaItem soft(std::size_t rows, std::size_t width) {
  MediaItem item;
  item.kind = MediaKind::kImage;
  item.rows = rows;
  item.width = width;
  item.values.assign(rows * width, 0.5);
  return item;
}

TEST(EncodeMedia, SoftTokenEmbeddingsStayAndCountAsRuns) {
  const auto encoded =
      encode("12b-media-tiny", {soft(3, 24), from_file(MediaKind::kImage, "one-pixel.png", 70)},
             {{kImage, 3}, {kImage, 64}});
  ASSERT_EQ(encoded.media.size(), 2u);
  EXPECT_EQ(encoded.media[0].values, soft(3, 24).values);
  EXPECT_EQ(encoded.media[1].values, encoded.taps.at("media.1.vision.embed.out").values);
}

// A video's frames fill a run each; what belongs to the whole is filed under the first.
TEST(EncodeMedia, AVideoFillsARunForEachFrame) {
  auto video = from_file(MediaKind::kVideo, "moving.mkv", 70);
  video.num_frames = 2;
  if (!video_support()) {
    EXPECT_NE(refusal({video}, {{kVideo, 1}, {kVideo, 1}}), "no error");
    GTEST_SKIP() << "built without FFmpeg";
  }
  const auto checkpoint = Checkpoint::open(kRoot + "checkpoints/12b-media-tiny");
  const MediaEncoder encoder(checkpoint);
  const auto decoded =
      decode_video(std::as_bytes(std::span(video.file)), "moving.mkv", {.count = 2});
  const std::size_t rows =
      image_soft_tokens(decoded.frames[0].size, encoder.patch_options(MediaKind::kFrame, 70));
  const auto encoded = encode(
      "12b-media-tiny", {soft(1, 24), video, from_file(MediaKind::kImage, "one-pixel.png", 70)},
      {{kImage, 1}, {kVideo, rows}, {kVideo, rows}, {kImage, 64}});
  ASSERT_EQ(encoded.media.size(), 4u);
  EXPECT_EQ(encoded.media[1].kind, MediaKind::kFrame);
  EXPECT_EQ(encoded.taps.at("media.1.video.frame_indices").values[0], 0);
  EXPECT_EQ(encoded.taps.at("media.1.video.timestamps").values[0], 0);
  EXPECT_EQ(encoded.media[2].values, encoded.taps.at("media.2.vision.embed.out").values);
  EXPECT_EQ(encoded.media[3].values, encoded.taps.at("media.3.vision.embed.out").values);
  EXPECT_NE(encoded.taps.at("media.1.image.rgb").values,
            encoded.taps.at("media.2.image.rgb").values);
}

TEST(EncodeMedia, TheAudioTrackOfAVideoIsAnAudioClip) {
  if (!video_support()) {
    GTEST_SKIP() << "built without FFmpeg";
  }
  const auto audio = from_file(MediaKind::kAudio, "moving.mkv");
  const auto decoded =
      decode_video(std::as_bytes(std::span(audio.file)), "moving.mkv", {.count = 1});
  ASSERT_TRUE(decoded.audio);
  const std::size_t rows = audio_soft_tokens(mel_frames(decoded.audio->samples.size()));
  EXPECT_EQ(encode("e2b-media-tiny", {audio}, {{kAudio, rows}}).media[0].rows, rows);
  EXPECT_EQ(refusal({from_file(MediaKind::kAudio, "moving-silent.mkv")}, {{kAudio, 1}}),
            "media 0: got a video without an audio track, expected one");
}

TEST(EncodeMedia, NamesTheItemInErrors) {
  EXPECT_EQ(refusal({from_file(MediaKind::kImage, "one-pixel.png")}, {{kAudio, 64}}),
            "media 0 (image): got no placeholder at position 2, expected a run of them");
  EXPECT_EQ(refusal({from_file(MediaKind::kAudio, "tone.wav")}, {{kAudio, 24}}),
            "media 0 (audio): got 25 soft tokens, expected 24, the placeholders from position 2 "
            "on");
  MediaItem item;
  item.kind = MediaKind::kImage;
  EXPECT_EQ(refusal({item}, {{kImage, 1}}), "media 0 (image): got 0 forms, expected one");
  item.file = {1, 2, 3};
  EXPECT_NE(refusal({item}, {{kImage, 1}}), "no error");
  item.rgb = {{1, 1, 3}, {0, 0, 0}};
  EXPECT_EQ(refusal({item}, {{kImage, 1}}), "media 0 (image): got 2 forms, expected one");
  item.file.clear();
  item.rgb = {{1, 2, 3}, {0, 0, 0}};
  EXPECT_EQ(refusal({item}, {{kImage, 1}}),
            "media 0: rgb: got shape [1, 2, 3] with 3 values, expected 3 axes and as many values");
  item.rgb = {};
  item.patches = {{1, 2}, {0, 0}};
  item.positions = {{1, 2}, {0, 0}};
  EXPECT_EQ(refusal({item}, {{kImage, 1}}).rfind("media 0 (image): image: ", 0), 0u);
  item.kind = static_cast<MediaKind>(9);
  EXPECT_NE(refusal({item}, {{kImage, 1}}), "no error");
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
