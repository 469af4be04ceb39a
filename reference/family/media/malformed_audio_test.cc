// SPDX-License-Identifier: Apache-2.0
// Files that are no audio: each with its message, within a time and memory limit.
#include <gtest/gtest.h>

#include "reference/family/media/audio_file.h"
#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_golden_media.h"
#include "reference/family/testing/test_limits.h"

namespace assay {
namespace {

struct Case {
  const char* name;
  std::string bytes;
  std::string message;
};

class MalformedAudio : public testing::TestWithParam<Case> {};

TEST_P(MalformedAudio, OneClearLine) {
  EXPECT_EQ(error_within_limits([] { decode_audio(as_file(GetParam().bytes), "x"); }),
            GetParam().message);
}

const std::string kNan = "\x01\x02\x03\x04" + big(0x0000c07f, 4);  // as float32, little-endian
const std::string kInfinite = std::string(8, '\0') + big(0x000080ff, 4);
const std::string kCodings =
    ", expected 1 (integers of 8, 16, 24, 32), 3 (floats of 32, 64), 6 or 7 (A-law or mu-law of "
    "8), "
    "or 2, 17, 49, 64, 85 (ADPCM, GSM, MPEG)";
const std::string kWav = wav_file({}, "12345678");
const std::string kUpsampled = wav_file({1, 1, 1000, 8}, std::string(4'200'000, '\x80'));

const Case kWavs[] = {
    {"Empty", "",
     "x: audio: got 0 bytes, expected WAV, FLAC, AIFF, MP3, Ogg Vorbis, Opus, M4A or AAC"},
    {"AnotherFormat", "OggS" + std::string(20, '\0'),
     "x: Ogg: got 24 bytes of a page at byte 0, expected a page"},
    {"RiffOfAnotherKind", "RIFF" + little(4, 4) + "WEBP",
     "x: audio: got WebP, expected WAV, FLAC, AIFF, MP3, Ogg Vorbis, Opus, M4A or AAC"},
    {"HeaderAlone", cut(kWav, 12), "x: WAV chunks: got none of name \"fmt \", expected one"},
    {"CutInFormat", cut(kWav, 30), "x: WAV chunks: got none of name \"data\", expected one"},
    {"NoDataChunk", patched(kWav, "data", 0, "tada"),
     "x: WAV chunks: got none of name \"data\", expected one"},
    {"CutInData", without_end(kWav, 3), "x: WAV data: got 5 bytes, expected 8"},
    {"LengthThatAFileMayHave", patched(kWav, "data", 4, little(536870912, 4)),
     "x: WAV data: got 8 bytes, expected 536870912"},
    {"NoSamples", wav_file({}, ""), "x: audio: got 0 samples, expected at least 1"},
    {"NoChannels", patched(kWav, "fmt ", 10, little(0, 2)), "x: channels: got 0, expected 1 to 32"},
    {"TooManyChannels", wav_file({1, 1000, 16000, 8}, std::string(2000, '\x80')),
     "x: channels: got 1000, expected 1 to 32"},
    {"ManyChannels", wav_file({1, 33, 16000, 8}, std::string(330, '\x80')),
     "x: channels: got 33, expected 1 to 32"},
    {"NoRate", patched(kWav, "fmt ", 12, little(0, 4)),
     "x: sample rate: got 0, expected 1000 to 768000"},
    {"RateTooLow", wav_file({1, 1, 999, 16}, "1234"),
     "x: sample rate: got 999, expected 1000 to 768000"},
    {"RateTooHigh", wav_file({1, 1, 5'000'000, 16}, "1234"),
     "x: sample rate: got 5000000, expected 1000 to 768000"},
    {"RateNegative", patched(kWav, "fmt ", 12, "\xff\xff\xff\xff"),
     "x: sample rate: got 4294967295, expected 1000 to 768000"},
    {"FormatMissing", patched(kWav, "fmt ", 0, "tmf "),
     "x: WAV chunks: got none of name \"fmt \", expected one"},
    {"Bits", patched(kWav, "fmt ", 22, little(7, 2)),
     "x: WAV coding: got format 1 of 7 bits" + kCodings},
    {"CodingOfTelephones", patched(kWav, "fmt ", 8, little(7, 2)),
     "x: WAV coding: got format 7 of 16 bits" + kCodings},
    {"UnknownCoding", patched(kWav, "fmt ", 8, little(0x1234, 2)),
     "x: WAV coding: got format 4660 of 16 bits" + kCodings},
    {"NotANumber", wav_file({3, 1, 16000, 32}, kNan),
     "x: sample 1: got nan, expected a finite number"},
    {"Infinite", wav_file({3, 1, 16000, 32}, kInfinite),
     "x: sample 2: got -inf, expected a finite number"},
    {"TooLargeForFloat", wav_file({3, 1, 16000, 64}, little(0x7e37e43c8800759c, 8)),
     "x: sample 0: got inf, expected a finite number"},
    {"OverflowsTheFilter",
     wav_file({3, 1, 8000, 32}, little(0x7f7fffff, 4) + little(0x7f7fffff, 4)),
     "x: resampling: got samples that are not finite, expected finite numbers"},
    {"TooLongOnceResampled", kUpsampled,
     "x: audio: got more than 67108864 samples, expected at most that many"},
};

const std::string kFlac = golden_media("chirp.flac");

unsigned checksum(const std::string& bytes, int bits, unsigned polynomial) {
  unsigned value = 0;
  for (const char byte : bytes) {
    value ^= static_cast<unsigned>(static_cast<unsigned char>(byte)) << (bits - 8);
    for (int i = 0; i < 8; ++i) {
      value = value << 1 ^ ((value >> (bits - 1) & 1) != 0 ? polynomial | 1u << bits : 0);
    }
  }
  return value;
}

// Silence in blocks of 65535 samples, each one number: 14 bytes for a second and more (RFC 9639).
std::string silent_flac(std::size_t rate, std::size_t blocks) {
  std::string file = "fLaC" + big(0x80000022, 4) + big(0xFFFFFFFF, 4) + std::string(6, '\0') +
                     big(rate << 44 | std::uint64_t{15} << 36, 8) + std::string(16, '\0');
  for (std::size_t i = 0; i < blocks; ++i) {
    std::string frame = "\xff\xf8\x70\x08";
    frame += i < 128 ? big(i, 1) : big(0xC080 | (i >> 6) << 8 | (i & 63), 2);
    frame += "\xff\xfe";
    frame += big(checksum(frame, 8, 0x07), 1) + std::string(3, '\0');
    file += frame + big(checksum(frame, 16, 0x8005), 2);
  }
  return file;
}

TEST(LongAudio, SilenceOfAFewBytesIsRead) {
  const Audio audio = decode_audio(as_file(silent_flac(48000, 10)), "x");
  EXPECT_EQ(audio.samples.size(), 218450u);
}

const Case kFlacs[] = {
    {"ElevenMinutesInSevenKilobytes", silent_flac(48000, 520),
     "x: audio: got more than 33554432 samples at 48000 Hz, expected at most that many; resample "
     "it: ffmpeg -i x -ar 16000 out.wav"},
    {"SeventyMinutesIn16Kilobytes", silent_flac(16000, 1030),
     "x: audio: got more than 67108864 samples, expected at most that many"},
    {"MarkerAlone", cut(kFlac, 4), "x: FLAC header: got 4 bytes, expected at least 42"},
    {"CutInStreamInfo", cut(kFlac, 20), "x: FLAC header: got 20 bytes, expected at least 42"},
    {"NoFrames", cut(kFlac, 8 + 34), "x: audio: got 0 samples, expected 24000"},
    {"CutInFrames", cut(kFlac, kFlac.size() / 2),
     "x: audio: got \"Error : flac decoder lost sync.\", expected whole audio data"},
    {"CutAtTheEnd", without_end(kFlac, 5),
     "x: audio: got \"Error : flac decoder lost sync.\", expected whole audio data"},
    {"DamagedFrame", cut(kFlac, 9000) + std::string(100, 'x') + kFlac.substr(9100),
     "x: audio: got \"Error : flac decoder lost sync.\", expected whole audio data"},
    {"AbsurdLength", patched(kFlac, "fLaC", 8 + 13, "\xff\xff\xff\xff\xff"),
     "x: audio: got 68719476735 samples, expected at most 67108864"},
    {"RateOfZero", patched(kFlac, "fLaC", 8 + 10, std::string("\0\0\x00", 3)),
     "x: sample rate: got 0, expected 1000 to 768000"},
    {"NotTheFirstBlock", patched(kFlac, "fLaC", 4, "\4"),
     "x: FLAC header: got a first block of kind 4, expected 0 (stream info) of 34 bytes"},
    {"OtherNumberOfSamples", patched(kFlac, "fLaC", 8 + 14, big(25'000, 4)),
     "x: audio: got 24000 samples, expected 25000"},
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Wav, MalformedAudio, testing::ValuesIn(kWavs), name_of);
INSTANTIATE_TEST_SUITE_P(Flac, MalformedAudio, testing::ValuesIn(kFlacs), name_of);

}  // namespace
}  // namespace assay
