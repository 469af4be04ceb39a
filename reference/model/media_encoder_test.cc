// SPDX-License-Identifier: Apache-2.0
#include "reference/model/media_encoder.h"

#include <numbers>

#include "reference/family/preprocess/log_mel.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Checkpoint tiny(const std::string& size) {
  return Checkpoint::open(source_dir() + "/golden/checkpoints/" + size + "-media-tiny");
}

// Wider than tall, so that a swap of axes shows; 528 x 288 within 70 soft tokens, 66 of them.
Image wide_image() {
  Image image{{45, 80}, {}};
  for (std::size_t i = 0; i < 10800; ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>(i * 37 % 251));
  }
  return image;
}

std::vector<float> noisy_tone(std::size_t count) {
  std::vector<float> samples(count);
  std::uint32_t seed = 12345;
  for (std::size_t n = 0; n < count; ++n) {
    seed = seed * 1664525 + 1013904223;
    const double noise = static_cast<double>(seed >> 8) / (1 << 24) - 0.5;
    const double turn = 2 * std::numbers::pi * 440 * static_cast<double>(n) / 16000;
    samples[n] = static_cast<float>(0.5 * std::sin(turn) + 0.1 * noise);
  }
  return samples;
}

MediaInput image(std::size_t budget, MediaKind kind = MediaKind::kImage) {
  MediaInput item;
  item.kind = kind;
  item.budget = budget;
  item.rgb = wide_image();
  return item;
}

MediaInput audio(std::size_t samples) {
  MediaInput item;
  item.kind = MediaKind::kAudio;
  item.samples = noisy_tone(samples);
  return item;
}

struct Encoded {
  std::vector<double> soft;
  std::size_t rows = 0;
  TapRecorder taps;
};

Encoded encode(const Checkpoint& checkpoint, const MediaInput& item, const Profile& profile = {}) {
  Encoded encoded;
  const MediaEncoder encoder(checkpoint, profile);
  const auto soft = encoder.encode(item, TapScope(encoded.taps, "media.0."));
  encoded.soft = values_of(soft);
  encoded.rows = soft.shape()[0];
  return encoded;
}

// RI-6, RX-3: a budget of 280 for an image, of 70 for a frame.
TEST(MediaEncoder, AsManyRowsAsTheBudgetMakes) {
  const auto checkpoint = tiny("e2b");
  EXPECT_EQ(encode(checkpoint, image(70)).rows, 66u);
  EXPECT_EQ(encode(checkpoint, image(140)).rows, 120u);
  EXPECT_EQ(encode(checkpoint, image(0, MediaKind::kFrame)).rows, 66u);
}

TEST(MediaEncoder, ShowsTheStepsOfAnImage) {
  const auto checkpoint = tiny("e2b");
  const auto taps = encode(checkpoint, image(70)).taps;
  using Shape = std::vector<std::size_t>;
  EXPECT_EQ(taps.at("media.0.image.rgb").shape, Shape({45, 80, 3}));
  EXPECT_EQ(taps.at("media.0.image.target_size").values, std::vector<double>({288, 528}));
  EXPECT_EQ(taps.at("media.0.image.resized").shape, Shape({288, 528, 3}));
  EXPECT_EQ(taps.at("media.0.image.num_soft_tokens").values, std::vector<double>({66}));
  EXPECT_EQ(taps.at("media.0.image.patches").shape, Shape({594, 768}));
  EXPECT_EQ(taps.at("media.0.image.positions").row(34), std::vector<double>({1, 1}));
  EXPECT_EQ(taps.at("media.0.vision.embed.out").shape[0], 66u);
}

TEST(MediaEncoder, ShowsTheStepsOfAnAudioClip) {
  const auto checkpoint = tiny("e2b");
  const auto taps = encode(checkpoint, audio(800)).taps;
  using Shape = std::vector<std::size_t>;
  EXPECT_EQ(taps.at("media.0.audio.samples").shape, Shape({800}));
  EXPECT_EQ(taps.at("media.0.audio.frames_windowed").shape, Shape({4, 320}));
  EXPECT_EQ(taps.at("media.0.audio.magnitude").shape, Shape({4, 257}));
  EXPECT_EQ(taps.at("media.0.audio.mel_linear").shape, Shape({4, 128}));
  EXPECT_EQ(taps.at("media.0.audio.mel").shape, Shape({4, 128}));
  EXPECT_EQ(taps.at("media.0.audio.mel_mask").values, std::vector<double>({1, 1, 1, 1, 0}));
}

// Whatever is given is not computed again: each later form leads to the same rows.
TEST(MediaEncoder, FormsOfAnImageAgree) {
  for (const std::string size : {"e2b", "26b", "12b"}) {
    const auto checkpoint = tiny(size);
    const auto whole = encode(checkpoint, image(70));
    const auto& patches = whole.taps.at("media.0.image.patches");
    const auto& positions = whole.taps.at("media.0.image.positions");
    const std::size_t count = patches.shape[0];
    MediaInput item;
    item.patches = make_tensor<R, I>({count + 5, patches.shape[1]});  // five slots of padding
    item.positions = IntTensor<R, A>::from_shape({count + 5, 2});
    item.positions.fill(-1);
    std::copy(patches.values.begin(), patches.values.end(), item.patches->begin());
    std::copy(positions.values.begin(), positions.values.end(), item.positions.begin());
    const auto from_patches = encode(checkpoint, item);
    EXPECT_EQ(from_patches.soft, whole.soft) << size;
    EXPECT_EQ(from_patches.taps.at("media.0.image.patches").shape, patches.shape) << size;
  }
}

TEST(MediaEncoder, FormsOfAnAudioClipAgree) {
  const auto checkpoint = tiny("e4b");
  const auto whole = encode(checkpoint, audio(5000));
  EXPECT_EQ(whole.rows, audio_soft_tokens(mel_frames(5000)));
  const auto& mel = whole.taps.at("media.0.audio.mel");
  MediaInput item;
  item.kind = MediaKind::kAudio;
  item.mel = make_tensor<T, F>({mel.shape[0] + 3, kMelBins});  // three frames of padding
  std::copy(mel.values.begin(), mel.values.end(), item.mel->begin());
  item.mel_valid.assign(mel.shape[0], true);
  item.mel_valid.resize(mel.shape[0] + 3, false);
  const auto from_mel = encode(checkpoint, item);
  EXPECT_EQ(from_mel.soft, whole.soft);
  EXPECT_EQ(from_mel.taps.at("media.0.audio.mel_mask").values.back(), 0);
}

TEST(MediaEncoder, TheUnifiedModelTakesRowsOfSamples) {
  const auto checkpoint = tiny("12b");
  const auto whole = encode(checkpoint, audio(1300));
  EXPECT_EQ(whole.rows, 3u);
  const auto& frames = whole.taps.at("media.0.unified.audio.frames");
  EXPECT_EQ(frames.row(2).back(), 0);
  MediaInput item;
  item.kind = MediaKind::kAudio;
  item.rows = tensor_of<T, I>({3, 640}, frames.values);
  EXPECT_EQ(encode(checkpoint, item).soft, whole.soft);
}

std::string refusal(const Checkpoint& checkpoint, const MediaInput& item) {
  return error_of([&] { encode(checkpoint, item); });
}

TEST(MediaEncoder, RefusesWhatTheCheckpointDoesNotTake) {
  const auto e2b = tiny("e2b");
  const auto big = tiny("26b");
  const auto unified = tiny("12b");
  EXPECT_EQ(refusal(big, audio(1000)),
            "audio: got a checkpoint that takes none, expected one with an audio encoder");
  const auto text = Checkpoint::open(source_dir() + "/golden/checkpoints/e2b-tiny");
  EXPECT_EQ(refusal(text, image(70)),
            "image: got a checkpoint that takes none, expected one with a vision encoder");
  EXPECT_EQ(refusal(e2b, audio(160)), "audio: got 160 samples, which make no frame, expected more");
  MediaInput item;
  item.kind = MediaKind::kAudio;
  EXPECT_EQ(refusal(e2b, item),
            "audio: got no form that this checkpoint takes, expected samples or log-mel");
  EXPECT_EQ(refusal(unified, item),
            "audio: got no form that this checkpoint takes, expected samples or rows of samples");
  item.mel = make_tensor<T, F>({4, kMelBins});
  item.mel_valid = {false, false, false, false};
  EXPECT_EQ(refusal(e2b, item), "audio: got no valid frame, expected at least one");
  item.kind = MediaKind::kImage;
  EXPECT_EQ(refusal(e2b, item),
            "image: got no form that this checkpoint takes, expected pixels or patches");
  EXPECT_NE(refusal(e2b, image(100)), "no error");
}

// Every switch of the profile that preprocessing or an encoder reads shows where it says.
TEST(MediaEncoder, EachSwitchShows) {
  const auto checkpoint = tiny("e2b");
  const std::vector<std::pair<std::string, std::string>> clips = {
      {"audio.window_keys=13", "audio.layer.0.attn.probs"},
      {"audio.embed_order=proj_norm", "audio.embed.out"},
      {"audio.hann=half_sample", "audio.frames_windowed"},
      {"audio.left_pad=0", "audio.frames_windowed"},
      {"audio.log_floor=max", "audio.mel"}};
  const auto plain_audio = encode(checkpoint, audio(16000));
  for (const auto& [text, tap] : clips) {
    const auto other = encode(checkpoint, audio(16000), parse_profile(text));
    EXPECT_NE(other.taps.at("media.0." + tap).values, plain_audio.taps.at("media.0." + tap).values)
        << text;
  }
  const std::vector<std::pair<std::string, std::string>> images = {
      {"image.resample=float", "image.patches"},
      {"vision.pad_mask=additive_bool", "vision.layer.0.attn.probs"}};
  const auto plain_image = encode(checkpoint, image(70));
  for (const auto& [text, tap] : images) {
    const auto other = encode(checkpoint, image(70), parse_profile(text));
    EXPECT_NE(other.taps.at("media.0." + tap).values, plain_image.taps.at("media.0." + tap).values)
        << text;
    EXPECT_EQ(other.rows, plain_image.rows);
  }
}

// Sets every value of one tap to what another run had there.
class Forced : public TapRecorder {
 public:
  Forced(std::string name, std::vector<double> values)
      : name_(std::move(name)), values_(std::move(values)) {}
  void real(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
            std::span<Real> values) override {
    put(name, values);
    TapRecorder::real(name, place, shape, values);
  }
  void integers(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
                std::span<std::int32_t> values) override {
    put(name, values);
    TapRecorder::integers(name, place, shape, values);
  }

 private:
  template <class Value>
  void put(const std::string& name, std::span<Value> values) const {
    if (name == name_) {
      EXPECT_EQ(values.size(), values_.size());
      std::transform(values_.begin(), values_.end(), values.begin(),
                     [](double value) { return static_cast<Value>(value); });
    }
  }

  std::string name_;
  std::vector<double> values_;
};

// What a listener writes into a step is what the next ones are computed from.
void expect_forced(const MediaInput& item, const std::string& step, const std::string& after,
                   const Profile& other) {
  const auto checkpoint = tiny("e2b");
  const auto wanted = encode(checkpoint, item, other).taps;
  Forced taps("media.0." + step, wanted.at("media.0." + step).values);
  const MediaEncoder encoder(checkpoint);
  encoder.encode(item, TapScope(taps, "media.0."));
  const auto& ours = taps.at("media.0." + after).values;
  const auto& right = wanted.at("media.0." + after).values;
  EXPECT_LE(largest_difference(ours, right), bound_of(1e-5, 0)) << step;
  EXPECT_NE(ours, encode(checkpoint, item).taps.at("media.0." + after).values) << step;
}

TEST(MediaEncoder, GoesOnFromForcedSteps) {
  const auto half_sample = parse_profile("audio.hann=half_sample");
  expect_forced(audio(4000), "audio.frames_windowed", "audio.magnitude", half_sample);
  expect_forced(audio(4000), "audio.magnitude", "audio.mel_linear", half_sample);
  expect_forced(audio(4000), "audio.mel_linear", "audio.mel", half_sample);
  expect_forced(audio(4000), "audio.mel", "audio.subsample.0.conv", half_sample);
  expect_forced(image(70), "image.patches", "vision.pixels_pm1",
                parse_profile("image.resample=float"));
}

TEST(MediaEncoder, GoesOnFromAForcedImage) {
  const auto checkpoint = tiny("12b");
  auto negative = image(70);
  for (std::uint8_t& byte : negative.rgb->rgb) {
    byte = static_cast<std::uint8_t>(255 - byte);
  }
  const auto wanted = encode(checkpoint, negative);
  for (const char* step : {"media.0.image.rgb", "media.0.image.resized"}) {
    Forced taps(step, wanted.taps.at(step).values);
    const MediaEncoder encoder(checkpoint);
    const auto soft = encoder.encode(image(70), TapScope(taps, "media.0."));
    EXPECT_EQ(values_of(soft), wanted.soft) << step;
  }
}

// Sizes say how much is computed: they are shown, not taken.
TEST(MediaEncoder, SizesAreNotForced) {
  const auto checkpoint = tiny("e2b");
  const auto plain = encode(checkpoint, image(70));
  for (const auto& [name, values] : std::map<std::string, std::vector<double>>{
           {"media.0.image.target_size", {96, 96}}, {"media.0.image.num_soft_tokens", {4}}}) {
    Forced taps(name, values);
    const MediaEncoder encoder(checkpoint);
    EXPECT_EQ(values_of(encoder.encode(image(70), TapScope(taps, "media.0."))), plain.soft);
  }
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
