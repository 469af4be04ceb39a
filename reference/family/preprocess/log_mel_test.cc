// SPDX-License-Identifier: Apache-2.0
// RA-1 to RA-10, RU-6, and golden/tables/log_mel.json: what transformers makes of 45 signals.
#include "reference/family/preprocess/log_mel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "reference/family/base/error.h"
#include "reference/family/base/json_object.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_signals.h"

namespace assay {
namespace {

using testing::Each;
using testing::ElementsAre;

const double kSilence = std::log(0.001);

struct Printed {
  std::size_t frame, bin;
  double value;
};

void expect_printed(const LogMel& mel, const std::vector<Printed>& table, double bound) {
  for (const auto& [frame, bin, value] : table) {
    EXPECT_NEAR(mel.mel[frame * kMelBins + bin], value, bound) << frame << ", " << bin;
  }
}

struct Sums {
  double mean = 0;
  double squares = 0;
};

Sums sums_of(const std::vector<float>& mel) {
  Sums sums;
  for (const float y : mel) {
    sums.mean += static_cast<double>(y) / static_cast<double>(mel.size());
    sums.squares += static_cast<double>(y) * static_cast<double>(y);
  }
  return sums;
}

TEST(LogMel, GoldenTones) {
  const LogMel mel = log_mel(two_tones());
  ASSERT_EQ(mel.frames, 99u);
  expect_printed(mel,
                 {{0, 0, -6.907755},
                  {0, 1, 0.876587},
                  {0, 6, 0.334167},
                  {0, 64, -1.234634},
                  {0, 127, -1.578189},
                  {1, 1, -4.017850},
                  {10, 5, -6.826010},
                  {10, 17, -1.807040},
                  {10, 60, -6.322958},
                  {10, 90, -4.044214},
                  {50, 127, -6.891075},
                  {98, 40, -4.460931}},
                 1e-6);
  EXPECT_NEAR(sums_of(mel.mel).mean, -4.272726, 1e-6);
  EXPECT_NEAR(sums_of(mel.mel).squares, 329958.56, 0.01);
}

TEST(LogMel, GoldenNoise) {
  const LogMel mel = log_mel(test_noise());
  ASSERT_EQ(mel.frames, 56u);
  expect_printed(mel,
                 {{0, 0, -6.907755},
                  {0, 1, -0.952945},
                  {0, 6, -1.750055},
                  {0, 64, -1.988814},
                  {0, 127, 0.052394},
                  {1, 1, -0.977105},
                  {10, 5, -0.909124},
                  {10, 17, -1.003562},
                  {10, 60, -0.395158},
                  {10, 90, 0.293530},
                  {30, 127, 1.122413},
                  {55, 40, -1.625532}},
                 1e-6);
  EXPECT_NEAR(sums_of(mel.mel).mean, -0.338099, 1e-6);
  EXPECT_NEAR(sums_of(mel.mel).squares, 9695.656, 0.001);
}

std::vector<std::uint8_t> bytes_of(const std::vector<float>& values) {
  std::vector<std::uint8_t> bytes;
  for (const float value : values) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<std::uint8_t>(bits >> shift));
    }
  }
  return bytes;
}

// Bit for bit with this machine's libm; another one's last bit may turn one value in millions.
TEST(LogMel, EqualsTransformers) {
  const Json table =
      parse_json_file(source_dir() + "/golden/tables/log_mel.json", "log_mel.json", 1 << 20);
  std::size_t equal = 0;
  for (const Json& row : table.at("cases")) {
    const TestSignal signal{row.at("signal").string(), row.at("amplitude").get<double>(),
                            row.at("parameter").get<std::uint32_t>()};
    const LogMel mel = log_mel(test_signal(signal, row.at("samples").get<std::size_t>()));
    ASSERT_EQ(mel.frames, row.at("frames").get<std::size_t>()) << row;
    for (const Json& printed : row.at("values")) {
      const std::size_t place =
          printed[0].get<std::size_t>() * kMelBins + printed[1].get<std::size_t>();
      EXPECT_FLOAT_EQ(mel.mel[place], printed[2].get<float>()) << row;
    }
    const Sums sums = sums_of(mel.mel);
    const double sum = sums.mean * static_cast<double>(mel.mel.size());
    EXPECT_NEAR(sum, row.at("sum").get<double>(), 1e-5 + 1e-9 * std::abs(sum)) << row;
    EXPECT_NEAR(sums.squares, row.at("sum_of_squares").get<double>(), 1e-5 + 1e-9 * sums.squares);
    const auto hash = std::stoul(row.at("crc32").get<std::string>(), nullptr, 16);
    equal += crc32(bytes_of(mel.mel)) == hash;
  }
  EXPECT_GE(table.at("cases").size(), 45u);
  EXPECT_GE(equal + 4, table.at("cases").size());
}

// Spec: multimodal 5.3.
TEST(LogMel, NumbersOfFramesAndSoftTokens) {
  const std::vector<std::array<std::size_t, 3>> table = {
      {1, 0, 0},        {160, 0, 0},       {161, 1, 1},         {321, 2, 1},
      {800, 4, 1},      {1600, 9, 3},      {8000, 49, 13},      {16000, 99, 25},
      {16001, 100, 25}, {24000, 149, 38},  {38560, 240, 60},    {48000, 299, 75},
      {48800, 304, 76}, {99360, 620, 155}, {240000, 1499, 375}, {480000, 2999, 750}};
  for (const auto& [samples, frames, soft_tokens] : table) {
    EXPECT_EQ(mel_frames(samples), frames) << samples;
    EXPECT_EQ(audio_soft_tokens(frames), soft_tokens) << samples;
  }
  EXPECT_EQ(mel_frames(0), 0u);
  EXPECT_EQ(mel_frames(320, LeftPad::kNone), 0u);
  EXPECT_EQ(mel_frames(321, LeftPad::kNone), 1u);
  EXPECT_EQ(mel_frames(800, LeftPad::kNone), 4u - 1);
}

TEST(LogMel, NoFramesForAHundredAndSixtySamples) {
  for (const std::size_t count : {0u, 1u, 160u}) {
    const LogMel mel = log_mel(test_noise(count));
    EXPECT_EQ(mel.frames, 0u);
    EXPECT_TRUE(mel.mel.empty());
  }
}

// A frame does not see what lies after it: longer audio begins like shorter audio.
TEST(LogMel, FramesAreOfTheirOwnSamplesOnly) {
  const LogMel longer = log_mel(test_noise());
  const LogMel shorter = log_mel(test_noise(1600));
  ASSERT_EQ(shorter.frames, 9u);
  EXPECT_TRUE(std::equal(shorter.mel.begin(), shorter.mel.end(), longer.mel.begin()));
}

TEST(LogMel, SilenceIsTheFloor) {
  const LogMel mel = log_mel(std::vector<float>(1600, 0.0f));
  EXPECT_THAT(mel.mel, Each(static_cast<float>(kSilence)));
}

std::string message_of(const std::vector<float>& samples) {
  try {
    log_mel(samples);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(LogMel, RefusesWhatIsNotFinite) {
  std::vector<float> samples(400, 0.25f);
  samples[17] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(message_of(samples), "audio: sample 17: got nan, expected a finite number");
  samples[17] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(message_of(samples), "audio: sample 17: got -inf, expected a finite number");
  samples[17] = std::numeric_limits<float>::max();
  EXPECT_EQ(message_of(samples), "no error");
}

}  // namespace
}  // namespace assay
