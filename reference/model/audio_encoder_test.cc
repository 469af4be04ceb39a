// SPDX-License-Identifier: Apache-2.0
// golden/tables/audio_miniature.json: the tables of spec multimodal A.3 and A.4 (audio), as
// printed. The weights pass through a checkpoint on disk.
// Rules RC-1 ... RC-21.
#include "reference/model/audio_encoder.h"

#include "reference/blocks/multimodal_embedder.h"
#include "reference/blocks/unified_audio_embedder.h"
#include "reference/family/base/json_object.h"
#include "reference/family/testing/source_dir.h"
#include "reference/ops/linear.h"
#include "reference/ops/rms_norm.h"
#include "reference/testing/test_audio_miniature.h"
#include "reference/testing/test_taps.h"
#include "reference/weights/load_audio_weights.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Json printed() {
  const std::string path = source_dir() + "/golden/tables/audio_miniature.json";
  return parse_json_file(path, "audio_miniature.json", 1 << 20);
}

// Half a unit of the sixth digit. On top: fp32's own rounding; and the printed values come from
// clip bounds like -1.9 that had not been rounded to fp32, as those of a file are.
void expect_six_digits(double ours, double right, const Json& line) {
  const double magnitude = right == 0 ? 0 : std::floor(std::log10(std::abs(right)));
  const double half_unit = 0.5 * std::pow(10, magnitude - 5);
  EXPECT_NEAR(ours, right, half_unit + bound_of(2e-5, 1e-7) * (1 + std::abs(right))) << line;
}

double length_of(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) {
    squares += value * value;
  }
  return std::sqrt(squares);
}

void expect_printed(const KeptTap& tap, const Json& line) {
  EXPECT_EQ(tap.shape, line.at("shape").get<std::vector<std::size_t>>()) << line;
  for (std::size_t i = 0; i < 3; ++i) {
    expect_six_digits(tap.values.at(i), line.at("first").at(i).get<double>(), line);
  }
  expect_six_digits(tap.values.back(), line.at("last").get<double>(), line);
  expect_six_digits(length_of(tap.values), line.at("l2").get<double>(), line);
}

class AudioMiniature : public testing::Test {
 protected:
  AudioMiniature() {
    write_miniature(directory_);
    checkpoint_.emplace(Checkpoint::open(directory_.path()));
    reader_.emplace(*checkpoint_);
  }

  const AudioConfig& config() const { return *checkpoint_->config().audio; }

  // From log-mel frames to what enters the text model.
  TapRecorder run(const Tensor<T, F>& mel, const Profile& profile = {}) const {
    TapRecorder taps;
    const TapScope tap(taps, "audio.");
    const auto rows = AudioEncoder(*reader_, config(), profile).encode(mel, tap);
    multimodal_embedder(rows, load_audio_projection(*reader_), config().rms_norm_eps,
                        profile.audio_embed_order, tap);
    return taps;
  }

  TestDirectory directory_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<WeightReader> reader_;
};

TEST_F(AudioMiniature, PrintedTaps) {
  auto mel = miniature_mel();
  TapRecorder taps = run(mel);
  TapScope(taps, "audio.").whole("mel", mel);
  const Json lines = printed().at("encoder");
  EXPECT_EQ(lines.size(), 54u);
  for (const Json& line : lines) {
    expect_printed(taps.at(line.at("tap").string()), line);
  }
}

std::vector<double> head_of(const std::vector<double>& row) {
  return {row.begin(), row.begin() + 3};
}

// DIV-M04
TEST_F(AudioMiniature, ThirteenKeys) {
  const Json variants = printed().at("variants");
  const auto twelve = run(miniature_mel()).at("audio.embed.out");
  const auto thirteen = run(miniature_mel(), parse_profile("audio.window_keys=13"))  //
                            .at("audio.embed.out");
  constexpr double kBound = bound_of(3e-5, 5.1e-7);
  expect_near(head_of(twelve.row(12)), variants.at("keys_12").get<std::vector<double>>(), kBound);
  expect_near(head_of(thirteen.row(12)), variants.at("keys_13").get<std::vector<double>>(), kBound);
  EXPECT_NEAR(length_of(thirteen.values), variants.at("keys_13_l2").get<double>(), kBound);
  for (std::size_t t = 0; t < 12; ++t) {
    EXPECT_EQ(twelve.row(t), thirteen.row(t)) << t;
  }
}

// DIV-M01: the rows differ by a positive factor each, and by nothing else.
TEST_F(AudioMiniature, ProjectThenNorm) {
  const Json variants = printed().at("variants");
  const auto ours = run(miniature_mel()).at("audio.embed.out");
  const auto jax = run(miniature_mel(), parse_profile("audio.embed_order=proj_norm"))  //
                       .at("audio.embed.out");
  // The three values were printed from an fp32 run.
  expect_near(head_of(jax.values), variants.at("project_then_norm").get<std::vector<double>>(),
              bound_of(3e-5, 5e-6));
  EXPECT_NEAR(length_of(jax.values), variants.at("project_then_norm_l2").get<double>(),
              bound_of(3e-5, 5.1e-7));
  for (std::size_t t = 0; t < ours.shape[0]; ++t) {
    const double factor = jax.row(t)[0] / ours.row(t)[0];
    EXPECT_GT(factor, 1.09);
    for (std::size_t d = 0; d < ours.shape[1]; ++d) {
      EXPECT_NEAR(jax.row(t)[d], factor * ours.row(t)[d], bound_of(1e-4, 1e-12));
    }
  }
}

// Every length up to three tokens, and the first ones that fill and overflow a block of 12.
TEST_F(AudioMiniature, OneRowForFourFrames) {
  for (const std::size_t frames : {1u, 2u, 3u, 4u, 5u, 8u, 9u, 48u, 49u}) {
    const auto taps = run(miniature_mel(frames));
    const std::size_t rows = (frames + 3) / 4;
    EXPECT_EQ(taps.at("audio.tower_out").shape, (std::vector<std::size_t>{rows, 12})) << frames;
    EXPECT_EQ(taps.at("audio.layer.1.attn.logits").shape, (std::vector<std::size_t>{2, rows, rows}))
        << frames;
  }
}

// Attention and convolution look back only: a longer audio begins like a shorter one. The last row
// of the shorter one saw zeros where the longer one goes on.
TEST_F(AudioMiniature, TheFutureChangesNothing) {
  const auto shorter = run(miniature_mel(40)).at("audio.embed.out");
  const auto longer = run(miniature_mel(62)).at("audio.embed.out");
  for (std::size_t t = 0; t < 9; ++t) {
    expect_near(shorter.row(t), longer.row(t), bound_of(1e-4, 1e-12));
  }
}

TEST_F(AudioMiniature, RefusesSilenceWithoutFrames) {
  EXPECT_EQ(error_of([&] {
              run(make_tensor<T, F>({0, 128}));
            }),
            "audio_subsample: got 0 frames of 128 values, expected at least one of each");
}

TEST_F(AudioMiniature, RefusesAnotherNumberOfBins) {  // DIV-M36: the width must fit the weight
  EXPECT_EQ(error_of([&] {
              run(make_tensor<T, F>({8, 80}));
            }),
            "linear: weight: got shape [16, 1024], expected [16, 640]");
}

// A listener's values are those the encoder goes on with; dense taps find their way back.
class ForcedLogit : public TapRecorder {
 public:
  void real(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
            std::span<Real> values) override {
    if (name == "audio.layer.0.attn.logits") {
      values[1 * 16 + 0] = 30;  // head 0, query 1, key 0
    }
    TapRecorder::real(name, place, shape, values);
  }
};

TEST_F(AudioMiniature, GoesOnWithForcedValues) {
  ForcedLogit taps;
  AudioEncoder(*reader_, config(), {}).encode(miniature_mel(), TapScope(taps, "audio."));
  EXPECT_NEAR(taps.at("audio.layer.0.attn.logits_capped").values[16], 50 * std::tanh(0.6), 1e-5);
  EXPECT_GT(taps.at("audio.layer.0.attn.probs").values[16], 0.99);
}

// C53
TEST_F(AudioMiniature, output_bias_omitted) {
  const auto taps = run(miniature_mel());
  const auto ours = taps.at("audio.output_proj").values;
  const auto h = tensor_of<R, D>({16, 16}, taps.at("audio.layer.1.out").values);
  const auto wrong = values_of(linear(h, load_audio_output(*reader_).output_proj));
  auto right = wrong;
  const auto bias = filled(91, 12, 0.5);
  for (std::size_t i = 0; i < right.size(); ++i) {
    right[i] += static_cast<double>(bias[i % 12]);
  }
  expect_avoided(ours, right, wrong, bound_of(1e-5, 1e-13));
}

// C54: rows of padding would stay. Here nobody can bring any.
// C55: with the norm left out only magnitudes tell.
TEST_F(AudioMiniature, embedder_norm_omitted) {
  const auto taps = run(miniature_mel());
  const auto rows = tensor_of<R, D>({16, 12}, taps.at("audio.tower_out").values);
  const auto& normed = taps.at("audio.embed.pre_norm").values;
  expect_avoided(normed, values_of(rms_norm_unscaled(rows, 1e-6)), values_of(rows),
                 bound_of(1e-5, 1e-13));
}

TEST(UnifiedAudio, PrintedTaps) {
  const auto samples = filled(221, 1500, 0.2);
  const auto weight = filled(222, 12 * 640, 0.05);
  const auto projection = tensor_of<O, I>({12, 640}, {weight.begin(), weight.end()});
  TapRecorder taps;
  unified_audio_embedder({}, projection, EmbedOrder::kNormThenProject, audio_rows(samples, 640),
                         TapScope(taps, ""));
  const Json lines = printed().at("unified");
  EXPECT_EQ(lines.size(), 3u);
  for (const Json& line : lines) {
    expect_printed(taps.at(line.at("tap").string()), line);
  }
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
