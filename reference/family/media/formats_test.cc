// SPDX-License-Identifier: Apache-2.0
// One small file of each form that is read, against what Pillow, soundfile and FFmpeg make of it:
// golden/media/formats, made by scripts/golden/make_media_formats.py.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <sstream>
#include <vector>

#include "reference/family/media/media_file.h"
#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_golden_media.h"

namespace assay {
namespace {

// Vorbis, Opus, MP3 and AAC leave the rounding to the decoder; full scale is 1.
constexpr double kMostRounding = 2e-6;

struct Form {
  std::string name, shape, hash, reader;
};

std::vector<Form> forms() {
  std::istringstream lines(golden_media("formats/formats.txt"));
  std::vector<Form> all;
  for (Form form; lines >> form.name >> form.shape >> form.hash >> form.reader;) {
    all.push_back(form);
  }
  return all;
}

void PrintTo(const Form& form, std::ostream* out) {
  *out << form.name;
}

std::string shape_of(const Image& image) {
  return std::to_string(image.size.height) + "x" + std::to_string(image.size.width) + "x3";
}

double largest_difference(const std::vector<float>& samples, const std::string& expected) {
  double largest = 0;
  for (std::size_t t = 0; t < samples.size(); ++t) {
    float value = 0;
    std::memcpy(&value, expected.data() + t * sizeof(float), sizeof(float));
    largest = std::max(largest, std::abs(static_cast<double>(value) - samples[t]));
  }
  return largest;
}

class Formats : public testing::TestWithParam<Form> {};

TEST_P(Formats, AreReadAsByTheLibrariesOfPython) {
  const Form& form = GetParam();
  const std::string bytes = golden_media("formats/" + form.name);
  const auto kind = media_kind_of(as_file(bytes));
  ASSERT_TRUE(kind.has_value());
  if (needs_ffmpeg(as_file(bytes), *kind) && !video_support()) {
    GTEST_SKIP() << "built without FFmpeg";
  }
  const MediaContent content = decode_media(as_file(bytes), *kind, form.name);
  Fnv1a hash;
  if (const auto* image = std::get_if<Image>(&content)) {
    EXPECT_EQ(shape_of(*image), form.shape);
    hash.add(std::span<const std::uint8_t>(image->rgb));
    EXPECT_EQ(hash.text(), form.hash);
    return;
  }
  const auto& samples = std::get<Audio>(content).samples;
  ASSERT_EQ(std::to_string(samples.size()), form.shape);
  if (form.hash == "-") {
    const double difference =
        largest_difference(samples, golden_media("formats/" + form.name + ".f32"));
    EXPECT_LE(difference, kMostRounding);
    RecordProperty("difference", std::to_string(difference));
  } else {
    hash.add(std::span<const float>(samples));
    EXPECT_EQ(hash.text(), form.hash);
  }
}

// Cut anywhere, a file gives an error of ours or what is there; never anything else.
TEST_P(Formats, CutAnywhereAndFlippedAnywhere) {
  const std::string whole = golden_media("formats/" + GetParam().name);
  const auto kind = media_kind_of(as_file(whole));
  if (needs_ffmpeg(as_file(whole), *kind) && !video_support()) {
    GTEST_SKIP() << "built without FFmpeg";
  }
  const auto tried = [&](const std::string& bytes) {
    error_of([&] { decode_media(as_file(bytes), *kind, "x"); });
  };
  for (std::size_t count = 0; count < whole.size(); count += count < 64 ? 1 : 61) {
    tried(cut(whole, count));
  }
  for (std::size_t at = 0; at < whole.size(); at += at < 64 ? 1 : 31) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    tried(bytes);
  }
}

std::string name_of(const testing::TestParamInfo<Form>& info) {
  std::string name;
  for (const char c : info.param.name) {
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Golden, Formats, testing::ValuesIn(forms()), name_of);

}  // namespace
}  // namespace assay
