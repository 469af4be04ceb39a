// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/audio_file.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numbers>

#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_golden_media.h"

namespace assay {
namespace {

using Samples = std::vector<float>;

Audio decoded(const std::string& bytes) {
  return decode_audio(as_file(bytes), "x");
}

std::string int16s(const std::vector<int>& values) {
  std::string bytes;
  for (const int value : values) {
    bytes += little(static_cast<std::uint16_t>(value), 2);
  }
  return bytes;
}

TEST(Wav, IntegersBecomeFractionsOfTheirRange) {
  EXPECT_EQ(decoded(wav_file({1, 1, 16000, 8}, std::string("\0\x80\xc0\xff", 4))).samples,
            (Samples{-1, 0, 0.5f, 127 / 128.0f}));
  EXPECT_EQ(decoded(wav_file({}, int16s({-32768, 1, 16384, 32767}))).samples,
            (Samples{-1, 1 / 32768.0f, 0.5f, 32767 / 32768.0f}));
  EXPECT_EQ(decoded(wav_file({1, 1, 16000, 24}, little(0x800000, 3) + little(1, 3))).samples,
            (Samples{-1, 1 / 8388608.0f}));
  EXPECT_EQ(decoded(wav_file({1, 1, 16000, 32}, little(0x80000000, 4) + little(1, 4))).samples,
            (Samples{-1, 1 / 2147483648.0f}));
}

TEST(Wav, FloatsStayAsTheyAre) {
  const std::string data = little(std::bit_cast<std::uint32_t>(0.1f), 4) +
                           little(std::bit_cast<std::uint32_t>(-1.25f), 4);
  EXPECT_EQ(decoded(wav_file({3, 1, 16000, 32}, data)).samples, (Samples{0.1f, -1.25f}));
  const std::string wide = little(std::bit_cast<std::uint64_t>(0.1), 8);
  EXPECT_EQ(decoded(wav_file({3, 1, 16000, 64}, wide)).samples, (Samples{0.1f}));
}

// RA-1.
TEST(Wav, ChannelsAreAveragedNotAddedAndNotTheFirstAlone) {
  const Audio audio = decoded(wav_file({1, 2, 16000, 16}, int16s({16384, 8192, -32768, -32768})));
  EXPECT_EQ(audio.samples, (Samples{0.375f, -1}));
  EXPECT_EQ(audio.file_channels, 2u);
}

// What streams write for the length that they do not know yet.
TEST(Wav, UnknownLengthReachesToTheEnd) {
  for (const std::uint64_t length : std::initializer_list<std::uint64_t>{
           0xFFFFFFFF, 0xFFFFFFDB, 0xFFFFFFD3, 0x80000000, 0x7FFFFFFF, 0x7FFFFFDB, 0x7FFFF000}) {
    const std::string bytes =
        patched(wav_file({}, int16s({1, 2, 3})), "data", 4, little(length, 4));
    EXPECT_EQ(decoded(bytes).samples, (Samples{1 / 32768.0f, 2 / 32768.0f, 3 / 32768.0f}))
        << length;
  }
}

// G.711: the code of the smallest sample and of the largest, of both signs.
TEST(Wav, LawsOfTelephones) {
  EXPECT_EQ(decoded(wav_file({7, 1, 16000, 8}, std::string("\xff\x7f\x80\0", 4))).samples,
            (Samples{0, 0, 32124 / 32768.0f, -32124 / 32768.0f}));
  EXPECT_EQ(decoded(wav_file({6, 1, 16000, 8}, "\xd5\x55\xaa\x2a")).samples,
            (Samples{8 / 32768.0f, -8 / 32768.0f, 32256 / 32768.0f, -32256 / 32768.0f}));
}

TEST(Flac, UnknownLengthReachesToTheEnd) {
  const std::string chirp = golden_media("chirp.flac");
  EXPECT_EQ(decoded(patched(chirp, "fLaC", 8 + 14, big(0, 4))).samples, decoded(chirp).samples);
}

TEST(Wav, OtherRatesAreResampled) {
  for (const int rate : {8000, 22050, 44100, 48000}) {
    std::vector<int> values;
    values.reserve(static_cast<std::size_t>(rate) / 4);
    for (int t = 0; t < rate / 4; ++t) {
      values.push_back(
          static_cast<int>(std::lround(16384 * std::sin(2 * std::numbers::pi * 440 * t / rate))));
    }
    const Audio audio = decoded(wav_file({1, 1, rate, 16}, int16s(values)));
    EXPECT_EQ(audio.file_rate, static_cast<std::size_t>(rate));
    ASSERT_EQ(audio.samples.size(), (values.size() * 16000 + static_cast<std::size_t>(rate) - 1) /
                                        static_cast<std::size_t>(rate));
    for (std::size_t t = 1000; t < 3000; ++t) {  // away from the ends
      const double expected =
          0.5 * std::sin(2 * std::numbers::pi * 440 * static_cast<double>(t) / 16000);
      ASSERT_NEAR(audio.samples[t], expected, 1e-4) << rate << " " << t;
    }
  }
}

TEST(GoldenMedia, AudioHoldWhatWasPutIn) {
  int count = 0;
  for (const auto& [name, facts] : golden_contents()) {
    const std::string bytes = golden_media(name);
    if (!looks_like_audio(as_file(bytes))) {
      continue;
    }
    ++count;
    const Audio audio = decode_audio(as_file(bytes), name);
    EXPECT_EQ(std::to_string(audio.samples.size()), facts.first) << name;
    Fnv1a hash;
    hash.add(std::span<const float>(audio.samples));
    if (facts.second != "-") {  // resampled
      EXPECT_EQ(hash.text(), facts.second) << name;
    }
  }
  EXPECT_EQ(count, 9);
}

}  // namespace
}  // namespace assay
