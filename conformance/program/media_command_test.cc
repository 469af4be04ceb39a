// SPDX-License-Identifier: Apache-2.0
// Goldens with media, and of other profiles, through the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/records/hdf5_file.h"
#include "conformance/testing/test_program.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::program {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kGolden = source_dir() + "/golden/";
const std::string kCheckpoint = kGolden + "checkpoints/e2b-media-tiny";
const std::string kCases = kGolden + "cases/e2b-media-tiny/";

constexpr const char* kThirteenKeys =
    "this is audio.window_keys=13 (JAX, MLX, mistral.rs; DIV-M04), not a Gemma 4 of the reference "
    "profile";

TEST(MediaCommand, VerifiesTextWithMedia) {
  for (const std::string chunk : {"0", "1", "3"}) {
    const Outcome outcome = run("verify --case e2b-media-tiny/interleaved --prefill " + chunk);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("2 pass, 0 fail"));
  }
}

TEST(MediaCommand, AGoldensProfileIsFollowed) {
  const TestDirectory directory;
  const Outcome outcome = run("verify --case e2b-media-tiny/switch-13-keys");
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("2 pass, 0 fail"));
  const std::string golden = kCases + "switch-13-keys.h5";
  const std::string dump = (directory.path() / "dump.h5").string();
  run("dump --checkpoint " + kCheckpoint + " --case " + golden + " --out " + dump);
  EXPECT_EQ(run("compare " + golden + " " + dump).status, 0);
}

TEST(MediaCommand, AnotherProfileFailsAndIsNamed) {
  const TestDirectory directory;
  const auto report = directory.path() / "report";
  const Outcome outcome =
      run("verify --case e2b-media-tiny/audio-full --precision f32 --profile audio.window_keys=13"
          " --report " +
          report.string());
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text,
              AllOf(HasSubstr("introduced  media.0.audio.layer.0.attn.logits"),
                    HasSubstr(kThirteenKeys), HasSubstr("--profile audio.window_keys=13")));
  EXPECT_THAT(contents(report / "report.json"),
              HasSubstr("\"matches_profile\": \"audio.window_keys=13\""));
  EXPECT_THAT(contents(report / "junit.xml"), HasSubstr("this is audio.window_keys=13"));
}

TEST(MediaCommand, ADumpOfAnotherProfileIsNamedAndMayClaimIt) {
  const TestDirectory directory;
  const std::string golden = kCases + "audio-full.h5 ";
  const std::string dump = (directory.path() / "dump.h5").string();
  const std::string profile = " --profile audio.window_keys=13,audio.embed_order=proj_norm";
  ASSERT_EQ(
      run("dump --checkpoint " + kCheckpoint + " --case " + golden + "--out " + dump + profile)
          .status,
      0);
  const Outcome plain = run("compare " + golden + dump);
  EXPECT_EQ(plain.status, 1);
  EXPECT_THAT(plain.text,
              AllOf(HasSubstr("this is audio.window_keys=13 (JAX, MLX, mistral.rs; DIV-M04) with "
                              "audio.embed_order=proj_norm (JAX; DIV-M01)"),
                    HasSubstr("replay")));
  const Outcome claimed = run("compare " + golden + dump + profile);
  EXPECT_EQ(claimed.status, 0) << claimed.text;
  EXPECT_THAT(claimed.text, HasSubstr("the truth is the reference's own fp64 run under audio."));
}

TEST(MediaCommand, AMistakeIsNoProfile) {
  const TestDirectory directory;
  const std::string honest = (directory.path() / "honest.h5").string();
  run("dump --checkpoint " + kCheckpoint + " --case " + kCases + "vision-full.h5 --out " + honest +
      " --taps '*.patch_proj'");
  const Outcome passes =
      run("compare " + kCases + "vision-full.h5 " + honest + " --only '*.patch_proj'");
  EXPECT_EQ(passes.status, 0) << passes.text;
  const std::string other = (directory.path() / "other.h5").string();
  run("dump --checkpoint " + kGolden + "checkpoints/e4b-media-tiny --case " + kCases +
      "vision-full.h5 --out " + other + " --taps '*.patch_proj'");
  const Outcome fails = run("compare " + kCases + "vision-full.h5 " + other);
  EXPECT_EQ(fails.status, 1);
  EXPECT_THAT(fails.text, Not(HasSubstr("this is")));
}

// A case of 64 image placeholders whose image is these bytes.
std::string case_with_file(const TestDirectory& directory, const std::string& bytes) {
  std::string path = (directory.path() / "case.h5").string();
  conformance::Hdf5Writer file(path);
  std::vector<double> types(66, 1);
  types.front() = types.back() = 0;
  file.make_group("/inputs");
  file.write_i32("/inputs/ids", {66}, std::vector<double>(66, 5));
  file.write_i32("/inputs/token_types", {66}, types);
  file.make_group("/inputs/media");
  file.make_group("/inputs/media/0");
  file.set_text("/inputs/media/0", "kind", "image");
  std::vector<double> numbers;
  for (const char byte : bytes) {
    numbers.push_back(static_cast<unsigned char>(byte));
  }
  file.write_i32("/inputs/media/0/file", {numbers.size()}, numbers);
  file.make_group("/taps");
  file.make_group("/taps/text.mm_type");
  file.write_i32("/taps/text.mm_type/value", {66}, types);
  file.finish();
  return path;
}

Outcome verify_file(const TestDirectory& directory, const std::string& bytes) {
  const std::string path = case_with_file(directory, bytes);
  return run("verify --checkpoint " + kCheckpoint + " --golden " + path);
}

TEST(MediaCommand, AStrangersFileIsEnough) {
  const TestDirectory directory;
  const Outcome outcome = verify_file(directory, contents(kGolden + "media/one-pixel.png"));
  EXPECT_EQ(outcome.status, 0) << outcome.text;
}

TEST(MediaCommand, DamagedMediaAreOneLineAndStatus2) {
  const std::string whole = contents(kGolden + "media/gradient-square.png");
  for (const std::string& bytes :
       {whole.substr(0, whole.size() / 2), whole.substr(1), std::string("no image at all")}) {
    const TestDirectory directory;
    const Outcome outcome = verify_file(directory, bytes);
    EXPECT_EQ(outcome.status, 2) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("case.h5: media 0"));
    EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << outcome.text;
  }
}

}  // namespace
}  // namespace assay::program
