// SPDX-License-Identifier: Apache-2.0
// assay inspect on images, audio and video.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/testing/test_program.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::program {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kMedia = source_dir() + "/golden/media/";

std::size_t big_endian(const std::string& bytes, std::size_t at) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

// Width and height of a PNG file, as its header has them.
std::pair<std::size_t, std::size_t> png_size(const std::filesystem::path& path) {
  const std::string bytes = contents(path);
  if (bytes.size() < 24 || bytes.substr(0, 8) != "\x89PNG\r\n\x1a\n") {
    return {};
  }
  return {big_endian(bytes, 16), big_endian(bytes, 20)};
}

struct Drawing {
  Outcome outcome;
  std::pair<std::size_t, std::size_t> size;
};

Drawing inspect(const std::string& arguments) {
  const TestDirectory directory;
  const auto png = directory.path() / "drawn.png";
  Drawing drawing;
  drawing.outcome = run("inspect " + kMedia + arguments + " --png " + png.string());
  drawing.size = png_size(png);
  return drawing;
}

TEST(InspectMedia, AnImage) {
  const Drawing drawing = inspect("alpha.png");  // 64 x 48: 912 x 672 at the usual budget
  EXPECT_EQ(drawing.outcome.status, 0);
  EXPECT_THAT(drawing.outcome.text,
              AllOf(HasSubstr("image, 64 x 48 pixels"), HasSubstr("57 x 42 patches, 266 soft")));
  EXPECT_EQ(drawing.size, std::pair(std::size_t{912}, std::size_t{672}));
  EXPECT_EQ(inspect("alpha.png --budget 70").size, std::pair(std::size_t{432}, std::size_t{336}));
}

TEST(InspectMedia, AnAudioClip) {
  const Drawing drawing = inspect("speech.wav");
  EXPECT_EQ(drawing.outcome.status, 0);
  EXPECT_THAT(drawing.outcome.text, AllOf(HasSubstr("24000 samples at 16000 Hz"),
                                          HasSubstr("149 log-mel frames of 128")));
  EXPECT_EQ(drawing.size, std::pair(std::size_t{1272}, std::size_t{464}));
}

TEST(InspectMedia, AnAudioClipTooShortToDraw) {
  const Drawing drawing = inspect("one-sample.wav");
  EXPECT_EQ(drawing.outcome.status, 2);
  EXPECT_THAT(drawing.outcome.text, HasSubstr("got no log-mel frame, expected one to draw"));
  EXPECT_EQ(run("inspect " + kMedia + "one-sample.wav").status, 0);
}

TEST(InspectMedia, AVideo) {
  const Drawing drawing = inspect("moving.mkv --frames 4");
  if (drawing.outcome.text.find("ASSAY_VIDEO") != std::string::npos) {
    GTEST_SKIP() << "built without video";
  }
  EXPECT_EQ(drawing.outcome.status, 0) << drawing.outcome.text;
  EXPECT_THAT(drawing.outcome.text,
              AllOf(HasSubstr("24 frames at 8 per second, 64 x 48 pixels; an audio track of 48000"),
                    HasSubstr("4 frames of 63 soft tokens: 00:00 00:00 00:01 00:02")));
  EXPECT_EQ(drawing.size, std::pair(std::size_t{1824}, std::size_t{360}));
  EXPECT_EQ(inspect("moving.mkv --frames 25").outcome.status, 2);  // more than the file has
}

TEST(InspectMedia, AVideoWithFewerFramesThanUsualShowsThemAll) {
  const Outcome outcome = run("inspect " + kMedia + "moving.mkv");
  if (outcome.text.find("ASSAY_VIDEO") != std::string::npos) {
    GTEST_SKIP() << "built without video";
  }
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("24 frames of 63 soft tokens"), HasSubstr("short:")));
  EXPECT_THAT(run("inspect " + kMedia + "moving.mkv --fps 2").text,
              HasSubstr("6 frames of 63 soft tokens: 00:00 00:00 00:01 00:01 00:02 00:02"));
}

TEST(InspectMedia, WhatIsNotReadIsNamedWithAWayToConvertIt) {
  const TestDirectory directory;
  const auto avif = directory.write("a.avif", std::string("\0\0\0\x10"
                                                          "ftypavif\0\0\0\0",
                                                          16));
  const Outcome image = run("inspect " + avif.string());
  EXPECT_EQ(image.status, 2);
  EXPECT_THAT(image.text, AllOf(HasSubstr("a.avif: image: got AVIF, expected PNG, JPEG, WebP"),
                                HasSubstr("magick a.avif a.png")));
  const auto pdf = directory.write("b.pdf", "%PDF-1.7\n1 0 obj\n");
  const Outcome document = run("inspect " + pdf.string());
  EXPECT_EQ(document.status, 2);
  EXPECT_THAT(document.text, HasSubstr("b.pdf: file: got a PDF document, expected safetensors"));
}

}  // namespace
}  // namespace assay::program
