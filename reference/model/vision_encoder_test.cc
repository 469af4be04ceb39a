// SPDX-License-Identifier: Apache-2.0
// golden/tables/vision_miniature.json: the tables of spec multimodal A.2, as printed, through a
// checkpoint on disk; then padding, switches and what is refused.
// Spec: RV-1 to RV-21.
#include "reference/model/vision_encoder.h"

#include <numeric>

#include "reference/blocks/multimodal_embedder.h"
#include "reference/family/base/json_object.h"
#include "reference/family/testing/source_dir.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_vision_miniature.h"
#include "reference/weights/load_vision_weights.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Json printed(const char* table) {
  const std::string path = source_dir() + "/golden/tables/vision_miniature.json";
  return parse_json_file(path, "vision_miniature.json", 1 << 20).at(table);
}

// Six digits are printed: half a unit of the last. fp32 has its own rounding on top.
double bound_at(double value) {
  const double magnitude =
      value == 0 ? 1e-6 : std::pow(10, std::floor(std::log10(std::abs(value))));
  return 0.51e-5 * magnitude + bound_of(2e-5 * (1 + std::abs(value)), 0);
}

// What the encoder and the projection after it make of an image.
class VisionMiniature : public testing::Test {
 protected:
  void open(const std::string& config = vision_miniature_config()) {
    write_vision_miniature(directory_, config);
    checkpoint_.emplace(Checkpoint::open(directory_.path()));
    reader_.emplace(*checkpoint_);
  }

  Tensor<T, D> soft(const MiniatureImage& image, Taps& taps, const Profile& profile = {}) const {
    const VisionConfig& config = *checkpoint_->config().vision;
    const TapScope tap(taps, "vision.");
    const auto rows =
        VisionEncoder(*reader_, config, profile).encode(image.patches, image.positions, tap);
    return multimodal_embedder(rows, load_vision_projection(*reader_), config.rms_norm_eps,
                               EmbedOrder::kNormThenProject, tap);
  }

  std::vector<double> soft(const MiniatureImage& image, const Profile& profile = {}) const {
    Taps silent;
    return values_of(soft(image, silent, profile));
  }

  std::string refusal(const MiniatureImage& image) const {
    return error_of([&] { static_cast<void>(soft(image)); });
  }

  TestDirectory directory_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<WeightReader> reader_;
};

void expect_printed(const KeptTap& tap, const Json& line, double slack = 1) {
  EXPECT_EQ(Json(tap.shape), line.at("shape")) << line;
  const auto first = line.at("first").get<std::vector<double>>();
  double squares = 0;
  for (const double value : tap.values) {
    squares += value * value;
  }
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_NEAR(tap.values.at(i), first[i], slack * bound_at(first[i])) << line;
  }
  EXPECT_NEAR(std::sqrt(squares), line.at("l2").get<double>(),
              bound_at(line.at("l2").get<double>()))
      << line;
  if (line.contains("last")) {
    EXPECT_NEAR(tap.values.back(), line["last"].get<double>(), bound_at(line["last"].get<double>()))
        << line;
  }
}

TEST_F(VisionMiniature, EveryPrintedTap) {
  open();
  TapRecorder taps;
  soft(miniature_image(6, 3), taps);
  const Json lines = printed("encoder");
  EXPECT_EQ(lines.size(), 54u);
  for (const Json& line : lines) {
    expect_printed(taps.at(line.at("tap").string()), line);
  }
  EXPECT_EQ(taps.at("vision.tower_out").values, taps.at("vision.standardized").values);
}

TEST_F(VisionMiniature, WithoutClipping) {
  open(vision_miniature_config(false, true));
  TapRecorder taps;
  soft(miniature_image(6, 3), taps);
  // The third number is 0.57756727 here and in transformers; it is printed one unit higher.
  expect_printed(taps.at("vision.embed.out"), printed("clipping_off").at(0), 2);
}

TEST_F(VisionMiniature, WithoutStandardizing) {
  open(vision_miniature_config(true, false));
  TapRecorder taps;
  soft(miniature_image(6, 3), taps);
  expect_printed(taps.at("vision.embed.out"), printed("standardize_off").at(0));
  EXPECT_EQ(taps.at("vision.tower_out").values, taps.at("vision.pool_scaled").values);
  EXPECT_THROW(taps.at("vision.standardized"), std::out_of_range);
}

TEST_F(VisionMiniature, AWiderGrid) {
  open();
  TapRecorder taps;
  soft(miniature_image(9, 6), taps);
  expect_printed(taps.at("vision.embed.out"), printed("grid_9x6").at(0));
}

// Slots in another order, padding among them.
MiniatureImage rearranged(const MiniatureImage& image, const std::vector<std::size_t>& slots) {
  return {take_rows(image.patches, slots), take_rows(image.positions, slots)};
}

TEST_F(VisionMiniature, PaddingChangesNothing) {
  open();
  TapRecorder bare;
  TapRecorder padded;
  soft(miniature_image(6, 3), bare);
  soft(miniature_image(6, 3, 9), padded);
  for (const Json& line : printed("encoder")) {
    const std::string name = line.at("tap").string();
    EXPECT_EQ(padded.at(name).values, bare.at(name).values) << name;
    EXPECT_EQ(padded.at(name).shape, bare.at(name).shape) << name;
  }
}

TEST_F(VisionMiniature, PaddingMayStandAnywhere) {
  open();
  const auto padded = miniature_image(6, 3, 9);
  std::vector<std::size_t> slots;
  for (std::size_t s = 0; s < 9; ++s) {
    slots.insert(slots.end(), {18 + s, 2 * s, 2 * s + 1});
  }
  EXPECT_EQ(soft(rearranged(padded, slots)), soft(padded));
}

// Cells come in raster order however the patches lie.
TEST_F(VisionMiniature, PatchesMayComeInAnyOrder) {
  open();
  const auto image = miniature_image(9, 6);
  std::vector<std::size_t> backwards(54);
  for (std::size_t s = 0; s < 54; ++s) {
    backwards[s] = 53 - s;
  }
  expect_near(soft(rearranged(image, backwards)), soft(image), bound_of(2e-5, 1e-13));
}

// Heads are held together only while somebody watches them; the numbers are the same.
TEST_F(VisionMiniature, WatchingChangesNothing) {
  open();
  TapRecorder watching;
  EXPECT_EQ(values_of(soft(miniature_image(6, 3), watching)), soft(miniature_image(6, 3)));
}

// DIV-M02: with padding, the boolean mask leaves it most of its weight; without, it adds 1 to all.
TEST_F(VisionMiniature, AdditiveBooleanMask) {
  open();
  Profile profile;
  profile.vision_pad_mask = VisionPadMask::kAdditiveBool;
  expect_near(soft(miniature_image(6, 3), profile), soft(miniature_image(6, 3)),
              bound_of(1e-5, 1e-13));
  const auto moved =
      largest_difference(soft(miniature_image(6, 3, 9), profile), soft(miniature_image(6, 3, 9)));
  EXPECT_GT(moved, 0.5);
  EXPECT_LT(moved, 2.0);
}

TEST_F(VisionMiniature, TapsNeverShowPadding) {
  open();
  Profile profile;
  profile.vision_pad_mask = VisionPadMask::kAdditiveBool;
  TapRecorder taps;
  soft(miniature_image(6, 3, 9), taps, profile);
  for (const Json& line : printed("encoder")) {
    EXPECT_EQ(Json(taps.at(line.at("tap").string()).shape), line.at("shape")) << line;
  }
  // What the missing columns weigh.
  const auto& probs = taps.at("vision.layer.0.attn.probs");
  const auto row = std::accumulate(probs.values.begin(), probs.values.begin() + 18, 0.0);
  EXPECT_GT(row, 0.1);
  EXPECT_LT(row, 0.95);
}

// Padding is computed last, wherever it stands.
TEST_F(VisionMiniature, AdditiveBooleanMaskWithPaddingInFront) {
  open();
  Profile profile;
  profile.vision_pad_mask = VisionPadMask::kAdditiveBool;
  const auto at_the_end = miniature_image(6, 3, 9);
  std::vector<std::size_t> slots(27);
  for (std::size_t s = 0; s < 27; ++s) {
    slots[s] = (s + 18) % 27;
  }
  EXPECT_EQ(soft(rearranged(at_the_end, slots), profile), soft(at_the_end, profile));
}

// Overwrites one tap with zeros and keeps another.
class ZeroedTap : public TapRecorder {
 public:
  explicit ZeroedTap(std::string name) : name_(std::move(name)) {}
  void real(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
            std::span<Real> values) override {
    if (name == name_) {
      std::fill(values.begin(), values.end(), Real(0));
    }
    TapRecorder::real(name, place, shape, values);
  }

 private:
  std::string name_;
};

TEST_F(VisionMiniature, GoesOnFromOverwrittenTaps) {
  open();
  ZeroedTap angles("vision.rope.angles");
  soft(miniature_image(6, 3), angles);
  EXPECT_EQ(angles.at("vision.layer.1.attn.q_rope").values,
            angles.at("vision.layer.1.attn.q_norm").values);
  ZeroedTap logits("vision.layer.0.attn.logits");
  soft(miniature_image(6, 3), logits);
  expect_near(logits.at("vision.layer.0.attn.probs").values,
              std::vector<double>(2 * 18 * 18, 1.0 / 18), 1e-7);

  Profile profile;
  profile.vision_pad_mask = VisionPadMask::kAdditiveBool;
  ZeroedTap probs("vision.layer.0.attn.probs");
  soft(miniature_image(6, 3, 9), probs, profile);
  const auto& context = probs.at("vision.layer.0.attn.context").values;
  TapRecorder untouched;
  soft(miniature_image(6, 3, 9), untouched, profile);
  EXPECT_GT(largest_difference(context, untouched.at("vision.layer.0.attn.context").values), 0.5);
}

TEST_F(VisionMiniature, RefusesWhatIsNoImage) {
  open();
  auto image = miniature_image(6, 3);
  image.positions(7, 1) = 16;
  EXPECT_EQ(refusal(image),
            "image: slot 7: got position (1, 16), expected coordinates from 0 to 15, or (-1, -1)");
  EXPECT_EQ(refusal(miniature_image(6, 4)),
            "image: got a grid of 6 x 4 patches, expected both sides to be multiples of the "
            "pooling kernel 3");
  image = miniature_image(6, 3);
  image.patches = make_tensor<R, I>({18, 767});
  EXPECT_EQ(refusal(image), "image: patches: got shape [18, 767], expected [18, 768]");
}

// Bounds are read, each of the four and with its sign.
TEST_F(VisionMiniature, LoadsEveryBound) {
  open();
  const auto w = load_vision_layer(*reader_, *checkpoint_->config().vision, 1).mlp.down_proj;
  EXPECT_EQ(w.input_min, static_cast<Real>(-1.6 - 0.1 * 3));
  EXPECT_EQ(w.input_max, static_cast<Real>(1.5 + 0.1 * 3));
  EXPECT_EQ(w.output_min, static_cast<Real>(-1.2 - 0.1 * 3));
  EXPECT_EQ(w.output_max, static_cast<Real>(1.1 + 0.1 * 3));
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
