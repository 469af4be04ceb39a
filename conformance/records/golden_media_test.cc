// SPDX-License-Identifier: Apache-2.0
// Media items in all their forms, and what is refused of them.
#include "conformance/records/golden_media.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "conformance/records/golden.h"
#include "conformance/testing/file_maker.h"

namespace assay::conformance {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using testing::Folder;
using ::testing::StartsWith;

using Filler = void (*)(Hdf5Writer& file);

// Four tokens: text, two placeholders of `type`, text; the media are up to `fill`.
void write_golden(const std::filesystem::path& path, double type, Filler fill) {
  Hdf5Writer file(path);
  file.make_group("/inputs");
  file.write_i32("/inputs/ids", {4}, {2, 7, 7, 9});
  file.write_i32("/inputs/token_types", {4}, {0, type, type, 0});
  file.make_group("/inputs/media");
  fill(file);
  file.make_group("/taps");
  file.make_group("/taps/text.embed");
  file.write_f32("/taps/text.embed/hi", {4, 1}, {1, 2, 3, 4});
  file.finish();
}

void item(Hdf5Writer& file, const std::string& name, const char* kind) {
  file.make_group("/inputs/media/" + name);
  file.set_text("/inputs/media/" + name, "kind", kind);
}

std::vector<MediaItem> media_of(Filler fill) {
  const Folder folder;
  write_golden(folder / "a.h5", 1, fill);
  return read_golden(folder / "a.h5").input.media;
}

TEST(GoldenMedia, ReadsAFileWithItsBudget) {
  const auto media = media_of([](Hdf5Writer& file) {
    item(file, "0", "image");
    file.write_i32("/inputs/media/0/file", {4}, {0x89, 'P', 'N', 255});
    file.set_integer("/inputs/media/0", "budget", 140);
  });
  ASSERT_EQ(media.size(), 1u);
  EXPECT_EQ(media[0].kind, MediaKind::kImage);
  EXPECT_THAT(media[0].file, ElementsAre(0x89, 'P', 'N', 255));
  EXPECT_EQ(media[0].budget, 140u);
  EXPECT_EQ(media[0].rows, 0u);
}

TEST(GoldenMedia, ReadsImagesAndPatches) {
  const auto media = media_of([](Hdf5Writer& file) {
    item(file, "0", "image");
    file.write_i32("/inputs/media/0/rgb", {1, 2, 3}, {0, 1, 2, 253, 254, 255});
    item(file, "1", "frame");
    file.write_f32("/inputs/media/1/patches", {2, 3}, {0, 0.5, 1, 0, 0, 0});
    file.write_i32("/inputs/media/1/positions", {2, 2}, {0, 0, -1, -1});
  });
  ASSERT_EQ(media.size(), 2u);
  EXPECT_THAT(media[0].rgb.shape, ElementsAre(1, 2, 3));
  EXPECT_THAT(media[0].rgb.values, ElementsAre(0, 1, 2, 253, 254, 255));
  EXPECT_EQ(media[1].kind, MediaKind::kFrame);
  EXPECT_THAT(media[1].patches.shape, ElementsAre(2, 3));
  EXPECT_THAT(media[1].positions.values, ElementsAre(0, 0, -1, -1));
}

TEST(GoldenMedia, ReadsAudioInAllForms) {
  const auto media = media_of([](Hdf5Writer& file) {
    item(file, "0", "audio");
    file.write_f32("/inputs/media/0/samples", {3}, {0, 0.5, -1});
    item(file, "1", "audio");
    file.write_f32("/inputs/media/1/mel", {2, 128}, std::vector<double>(256, -6.5));
    file.write_i32("/inputs/media/1/mel_mask", {2}, {1, 0});
    item(file, "2", "audio");
    file.write_f32("/inputs/media/2/rows", {1, 4}, {1, 2, 3, 4});
  });
  ASSERT_EQ(media.size(), 3u);
  EXPECT_THAT(media[0].samples.values, ElementsAre(0, 0.5, -1));
  EXPECT_THAT(media[1].mel.shape, ElementsAre(2, 128));
  EXPECT_THAT(media[1].mel_mask.values, ElementsAre(1, 0));
  EXPECT_THAT(media[2].audio_rows.shape, ElementsAre(1, 4));
}

void video(Hdf5Writer& file, const std::string& name, std::int64_t frames) {
  item(file, name, "video");
  file.write_i32("/inputs/media/" + name + "/file", {1}, {0});
  if (frames != 0) {
    file.set_integer("/inputs/media/" + name, "num_frames", frames);
  }
}

// A video counts a run for each frame, so the next name says how many there are.
TEST(GoldenMedia, AVideoTakesARunForEachFrame) {
  const auto media = media_of([](Hdf5Writer& file) {
    video(file, "0", 3);
    item(file, "3", "image");
    file.write_i32("/inputs/media/3/rgb", {1, 1, 3}, {0, 0, 0});
    video(file, "4", 0);
    video(file, "12", 0);
  });
  ASSERT_EQ(media.size(), 4u);
  EXPECT_EQ(media[0].num_frames, 3u);
  EXPECT_EQ(media[2].num_frames, 8u);
  EXPECT_EQ(media[3].num_frames, 0u);  // the checkpoint's
}

// Names are numbers: ten comes after nine.
TEST(GoldenMedia, ItemsAreInTheOrderOfTheirNumbers) {
  const auto media = media_of([](Hdf5Writer& file) {
    for (const int k : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) {
      const std::string name = std::to_string(k);
      item(file, name, "image");
      file.write_i32("/inputs/media/" + name + "/rgb", {1, 1, 3}, {double(k), 0, 0});
    }
  });
  ASSERT_EQ(media.size(), 12u);
  EXPECT_EQ(media[2].rgb.values[0], 2);
  EXPECT_EQ(media[10].rgb.values[0], 10);
}

struct BadMedia {
  const char* name;
  double type;
  Filler fill;
  const char* message;  // after "a.h5: /inputs/media"
};

void image(Hdf5Writer& file, const std::string& name = "0") {
  item(file, name, "image");
  file.write_i32("/inputs/media/" + name + "/rgb", {1, 1, 3}, {0, 0, 0});
}

const BadMedia kBadMedia[] = {
    {"no_form", 1, [](Hdf5Writer& f) { item(f, "0", "image"); },
     "/0: got no data, expected one of file, rgb, patches, soft"},
    {"two_forms", 1,
     [](Hdf5Writer& f) {
       image(f);
       f.write_i32("/inputs/media/0/file", {1}, {0});
     },
     "/0: got file and rgb, expected one of the two"},
    {"soft_and_file", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_f32("/inputs/media/0/soft", {2, 1}, {0, 0});
       f.write_i32("/inputs/media/0/file", {1}, {0});
     },
     "/0: got file and soft, expected one of the two"},
    {"samples_of_a_image", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_f32("/inputs/media/0/samples", {1}, {0});
     },
     "/0/samples: got a form that is not of kind image, expected file, rgb, patches, soft"},
    {"rgb_of_a_audio", 3,
     [](Hdf5Writer& f) {
       item(f, "0", "audio");
       f.write_i32("/inputs/media/0/rgb", {1, 1, 3}, {0, 0, 0});
     },
     "/0/rgb: got a form that is not of kind audio, expected file, samples, mel, rows, soft"},
    {"soft_video", 2,
     [](Hdf5Writer& f) {
       item(f, "0", "video");
       f.write_f32("/inputs/media/0/soft", {2, 1}, {0, 0});
     },
     "/0/soft: got a form that is not of kind video, expected file"},
    {"empty_file", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_i32("/inputs/media/0/file", {0}, {});
     },
     "/0/file: got shape [0], expected the bytes of a file"},
    {"file_of_floats", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_f32("/inputs/media/0/file", {1}, {1});
     },
     "/0/file: got floating-point numbers, expected integers"},
    {"byte_of_256", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_i32("/inputs/media/0/file", {2}, {1, 256});
     },
     "/0/file[1]: got 256, expected 0 to 255"},
    {"four_channels", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_i32("/inputs/media/0/rgb", {1, 1, 4}, {0, 0, 0, 0});
     },
     "/0/rgb: got shape [1, 1, 4], expected [h, w, 3]"},
    {"no_pixels", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_i32("/inputs/media/0/rgb", {0, 1, 3}, {});
     },
     "/0/rgb: got shape [0, 1, 3], expected [h, w, 3]"},
    {"grey_level_300", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_i32("/inputs/media/0/rgb", {1, 1, 3}, {0, 0, 300});
     },
     "/0/rgb[2]: got 300, expected 0 to 255"},
    {"patches_alone", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_f32("/inputs/media/0/patches", {1, 3}, {0, 0, 0});
     },
     "/0/positions: got nothing, expected [N, 2] beside the patches"},
    {"too_few_positions", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_f32("/inputs/media/0/patches", {2, 1}, {0, 0});
       f.write_i32("/inputs/media/0/positions", {1, 2}, {0, 0});
     },
     "/0/positions: got shape [1, 2], expected [2, 2], one for each patch"},
    {"position_of_minus_two", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_f32("/inputs/media/0/patches", {1, 1}, {0});
       f.write_i32("/inputs/media/0/positions", {1, 2}, {-2, 0});
     },
     "/0/positions[0]: got -2, expected -1 to 2147483647"},
    {"half_a_padding_slot", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_f32("/inputs/media/0/patches", {2, 1}, {0, 0});
       f.write_i32("/inputs/media/0/positions", {2, 2}, {0, 0, -1, 3});
     },
     "/0/positions[1]: got one coordinate of -1, expected both or none"},
    {"infinite_patch", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_f32("/inputs/media/0/patches", {1, 1}, {INFINITY});
       f.write_i32("/inputs/media/0/positions", {1, 2}, {0, 0});
     },
     "/0/patches: got a value that is not finite, expected finite values"},
    {"nan_sample", 3,
     [](Hdf5Writer& f) {
       item(f, "0", "audio");
       f.write_f32("/inputs/media/0/samples", {2}, {0, NAN});
     },
     "/0/samples: got a value that is not finite, expected finite values"},
    {"pcm_samples", 3,
     [](Hdf5Writer& f) {
       item(f, "0", "audio");
       f.write_i32("/inputs/media/0/samples", {2}, {0, 32767});
     },
     "/0/samples: got integers, expected floating-point numbers [n]"},
    {"two_channels", 3,
     [](Hdf5Writer& f) {
       item(f, "0", "audio");
       f.write_f32("/inputs/media/0/samples", {2, 2}, {0, 0, 0, 0});
     },
     "/0/samples: got shape [2, 2], expected [n]"},
    {"eighty_bins", 3,
     [](Hdf5Writer& f) {
       item(f, "0", "audio");
       f.write_f32("/inputs/media/0/mel", {1, 80}, std::vector<double>(80, 0));
     },
     "/0/mel: got shape [1, 80], expected [F, 128]"},
    {"mask_with_a_hole", 3,
     [](Hdf5Writer& f) {
       item(f, "0", "audio");
       f.write_f32("/inputs/media/0/mel", {3, 128}, std::vector<double>(384, 0));
       f.write_i32("/inputs/media/0/mel_mask", {3}, {1, 0, 1});
     },
     "/0/mel_mask: got a valid frame after padding, expected valid frames first"},
    {"short_mask", 3,
     [](Hdf5Writer& f) {
       item(f, "0", "audio");
       f.write_f32("/inputs/media/0/mel", {3, 128}, std::vector<double>(384, 0));
       f.write_i32("/inputs/media/0/mel_mask", {2}, {1, 1});
     },
     "/0/mel_mask: got shape [2], expected [3], one for each frame"},
    {"odd_budget", 1,
     [](Hdf5Writer& f) {
       image(f);
       f.set_integer("/inputs/media/0", "budget", 256);
     },
     "/0@budget: got 256, expected 70, 140, 280, 560 or 1120"},
    {"negative_budget", 1,
     [](Hdf5Writer& f) {
       image(f);
       f.set_integer("/inputs/media/0", "budget", -70);
     },
     "/0@budget: got -70.000000, expected an integer from 0 to 1120"},
    {"budget_of_a_audio", 3,
     [](Hdf5Writer& f) {
       item(f, "0", "audio");
       f.set_integer("/inputs/media/0", "budget", 70);
     },
     "/0@budget: got 70, expected none for an audio clip"},
    {"frames_of_a_image", 1,
     [](Hdf5Writer& f) {
       image(f);
       f.set_integer("/inputs/media/0", "num_frames", 2);
     },
     "/0@num_frames: got 2, expected none but for a video"},
    {"no_frames", 2,
     [](Hdf5Writer& f) {
       video(f, "0", 0);
       f.set_integer("/inputs/media/0", "num_frames", 0);
     },
     "/0@num_frames: got 0.000000, expected an integer from 1 to 4096"},
    {"missing_run", 1, [](Hdf5Writer& f) { image(f, "1"); }, "/1: got run 1, expected run 0 next"},
    {"skipped_run", 1,
     [](Hdf5Writer& f) {
       image(f, "0");
       image(f, "2");
     },
     "/2: got run 2, expected run 1 next"},
    {"within_a_video", 2,
     [](Hdf5Writer& f) {
       video(f, "0", 4);
       video(f, "2", 4);
     },
     "/2: got run 2, expected run 4 next"},
    {"endless_video", 2,
     [](Hdf5Writer& f) {
       video(f, "0", 0);
       video(f, "18446744073709551615", 1);
     },
     "/18446744073709551615: got run 18446744073709551615, expected run 1 next"},
    {"leading_zero", 1, [](Hdf5Writer& f) { image(f, "00"); },
     "/00: got a name that is no number, expected the number of a run of placeholders"},
    {"no_number", 1, [](Hdf5Writer& f) { image(f, "first"); },
     "/first: got a name that is no number, expected the number of a run of placeholders"},
    {"other_width", 1,
     [](Hdf5Writer& f) {
       item(f, "0", "image");
       f.write_f32("/inputs/media/0/soft", {1, 2}, {0, 0});
       item(f, "1", "image");
       f.write_f32("/inputs/media/1/soft", {1, 3}, {0, 0, 0});
     },
     "/1/soft: got width 3, expected 2 as in item 0"},
};

class MalformedMedia : public ::testing::TestWithParam<BadMedia> {};

TEST_P(MalformedMedia, IsRefusedWithItsOwnMessage) {
  const Folder folder;
  write_golden(folder / "a.h5", GetParam().type, GetParam().fill);
  const std::string error = error_of([&] { read_golden(folder / "a.h5"); });
  EXPECT_THAT(error, StartsWith(std::string("a.h5: /inputs/media") + GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(GoldenMedia, MalformedMedia, ::testing::ValuesIn(kBadMedia),
                         [](const auto& bad) { return std::string(bad.param.name); });

}  // namespace
}  // namespace assay::conformance
