// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/container.h"
#include "reference/family/checkpoint/gguf_metadata.h"
#include "reference/family/testing/test_directory.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The file that GGUFWriter of the Python package gguf 0.19.0 makes of the same keys and tensors.
constexpr std::string_view kTheirs =
    "474755460300000003000000000000000a00000000000000140000000000000067656e6572616c2e6172"
    "6368697465637475726508000000060000000000000067656d6d61340800000000000000612e75696e74"
    "333204000000070000000700000000000000612e696e74333205000000f9ffffff090000000000000061"
    "2e666c6f6174333206000000bd3786350600000000000000612e626f6f6c070000000108000000000000"
    "00612e737472696e670800000006000000000000006e61c3af76650800000000000000612e696e743332"
    "730900000005000000030000000000000008000000feffffff080000000a00000000000000612e666c6f"
    "6174333273090000000600000002000000000000000000003f0000a0bf0700000000000000612e626f6f"
    "6c73090000000700000003000000000000000100010900000000000000612e737472696e677309000000"
    "08000000030000000000000001000000000000006100000000000000000400000000000000e29681620b"
    "00000000000000726f77732e776569676874020000000300000000000000020000000000000000000000"
    "00000000000000000d0000000000000068616c7665732e77656967687401000000030000000000000001"
    "00000020000000000000000d00000000000000626c6f636b732e77656967687402000000400000000000"
    "000001000000000000000800000040000000000000000000000000000000000000000000000000000000"
    "00c0000080bf000000000000803f00000040000040400000000000000000003c00b80042000000000000"
    "00000000000000000000000000000000000000000a3181878e949aa1a7adb4bac0c7cdd4dae0e7edf3fa"
    "00060d131920262c333940466b352326292c2f3235383b3e4144474a4d505356595c5f6164676a6d7073"
    "76797c7f00000000000000000000000000000000000000000000000000000000";

std::string hexadecimal(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  for (const char byte : std::string(std::istreambuf_iterator<char>(file), {})) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

DType q8_0() {
  return *dtype_from_ggml(8);
}

GgufKeys every_type() {
  GgufKeys keys;
  keys.add_string("general.architecture", "gemma4");
  keys.add_uint32("a.uint32", 7);
  keys.add_int32("a.int32", -7);
  keys.add_float32("a.float32", 1e-6);
  keys.add_bool("a.bool", true);
  keys.add_string("a.string", "na\u00EFve");
  keys.add_int32s("a.int32s", std::vector<std::int32_t>{8, -2, 8});
  keys.add_float32s("a.float32s", std::vector<float>{0.5f, -1.25f});
  keys.add_bools("a.bools", {true, false, true});
  keys.add_strings("a.strings", std::vector<std::string>{"a", "", "\u2581b"});
  return keys;
}

std::vector<StoredTensor> three_tensors() {
  std::vector<StoredTensor> tensors(3);
  tensors[0] = {.name = "rows.weight", .dtype = DType::kF32, .shape = {2, 3}};
  tensors[1] = {.name = "halves.weight", .dtype = DType::kF16, .shape = {3}};
  tensors[2] = {.name = "blocks.weight", .dtype = q8_0(), .shape = {1, 64}};
  return tensors;
}

std::vector<std::byte> stored(DType dtype, const std::vector<float>& values) {
  const DTypeInfo& info = dtype.info();
  std::vector<std::byte> bytes(values.size() / info.block_elements * info.block_bytes);
  narrow(dtype, values, bytes.data());
  return bytes;
}

void write_three(GgufWriter& writer) {
  writer.append(stored(DType::kF32, {-2, -1, 0, 1}));  // in pieces
  writer.append(stored(DType::kF32, {2, 3}));
  writer.append(stored(DType::kF16, {1, -0.5f, 3}));
  std::vector<float> values;
  for (int i = 0; i < 64; ++i) {
    values.push_back(static_cast<float>(i - 20));
  }
  writer.append(stored(q8_0(), values));
}

TEST(GgufWriter, WritesWhatTheGgufPackageWrites) {
  const TestDirectory directory;
  const auto path = directory.path() / "x.gguf";
  GgufWriter writer(path, every_type(), three_tensors());
  write_three(writer);
  writer.finish();
  EXPECT_FALSE(std::filesystem::exists(path));
  writer.publish();
  EXPECT_EQ(hexadecimal(path), kTheirs);
}

TEST(GgufWriter, TheReaderFindsWhatWasWritten) {
  const TestDirectory directory;
  const auto path = directory.path() / "x.gguf";
  GgufWriter writer(path, every_type(), three_tensors());
  write_three(writer);
  writer.finish();
  writer.publish();
  const auto file = Container::open(path);
  EXPECT_THAT(file.read("rows.weight"), ElementsAre(-2, -1, 0, 1, 2, 3));
  EXPECT_THAT(file.read("halves.weight"), ElementsAre(1, -0.5, 3));
  EXPECT_EQ(file.find("blocks.weight")->dtype, q8_0());
  EXPECT_THAT(file.find("blocks.weight")->shape, ElementsAre(1, 64));
  EXPECT_EQ(file.read("blocks.weight")[20], 0);
  EXPECT_EQ(file.read("blocks.weight")[63],
            127 * double{float_from_f16(f16_from_float(43.0f / 127))});
}

TEST(GgufWriter, AFileWithoutTensorsIsKeysAlone) {
  const TestDirectory directory;
  const auto path = directory.path() / "x.gguf";
  GgufWriter writer(path, every_type(), {});
  writer.finish();
  writer.publish();
  EXPECT_TRUE(Container::open(path).tensors().empty());
}

TEST(GgufWriter, WhatIsMissingIsToldAndNothingStays) {
  const TestDirectory directory;
  const auto path = directory.path() / "x.gguf";
  {
    GgufWriter writer(path, every_type(), three_tensors());
    writer.append(stored(DType::kF32, {-2, -1, 0, 1}));
    EXPECT_EQ(error_of([&] { writer.finish(); }),
              path.string() + ": data section: got 16 bytes, expected 160");
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  auto tensors = three_tensors();
  tensors[1].dtype = *dtype_from_name("BOOL");
  EXPECT_THAT(error_of([&] { GgufWriter(path, every_type(), tensors); }),
              HasSubstr("halves.weight: dtype: got BOOL, expected one of BF16, F16, F32"));
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace assay
