// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/checkpoint/container.h"
#include "reference/family/checkpoint/gguf_metadata.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_gguf.h"
#include "reference/family/testing/test_models.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kBf16 = 30;
constexpr std::uint32_t kQ8Blocks = 8;
constexpr std::uint32_t kQ2K = 10;
constexpr std::uint32_t kUnknown = 99;

std::string bytes_of(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string error_of_file(const std::string& bytes) {
  const TestDirectory directory;
  const auto path = directory.write("x.gguf", bytes);
  const std::string message = error_of([&] { Container::open(path); });
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message;
}

// Two tensors: w of [2, 3] in f32, and n of [2] in bf16 at the next multiple of 32.
GgufFile two_tensors() {
  GgufFile file(1, 3, 2);
  file.key("general.architecture", GgufFile::kString).string("gemma4");
  file.tensor("w", {3, 2}, kF32, 0).tensor("n", {2}, kBf16, 32).pad(32);
  file.bytes(bytes_of({1, 2, 3, 4, 5, 6})).pad(32);
  return file.number(bf16_from_float(-1)).number(bf16_from_float(0.5));
}

TEST(Gguf, TensorsComeOutInRowMajorOrder) {
  const TestDirectory directory;
  const auto file = Container::open(directory.write("x.gguf", two_tensors().text()));
  ASSERT_EQ(file.tensors().size(), 2U);
  EXPECT_EQ(file.tensors()[0].name, "n");
  const StoredTensor& w = file.tensors()[1];
  EXPECT_THAT(w.shape, ElementsAre(2, 3));  // (3, 2) in the file: the fastest first
  EXPECT_EQ(w.dtype, DType::kF32);
  EXPECT_EQ(w.elements, 6U);
  EXPECT_THAT(file.read("w"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(file.read("n"), ElementsAre(-1, 0.5));
  float two[2];
  file.read(w, 4, 2, two);
  EXPECT_THAT(two, ElementsAre(5, 6));
  EXPECT_THAT(error_of([&] { file.read(w, 5, 2, two); }), HasSubstr("x.gguf: w: got a read of 2"));
}

TEST(Gguf, TheAlignmentIsTheFilesOwn) {
  const TestDirectory directory;
  GgufFile file(1, 3, 1);
  file.key("general.alignment", GgufFile::kUint32).number(std::uint32_t{8});
  file.tensor("a", {1}, kF32, 8).pad(8);
  file.bytes(bytes_of({9, 9, 7}));
  EXPECT_THAT(Container::open(directory.write("x.gguf", file.text())).read("a"), ElementsAre(7));
}

TEST(Gguf, AFileWithoutTensorsMayEndAfterItsMetadata) {
  const TestDirectory directory;
  const auto file = Container::open(directory.write("x.gguf", GgufFile(0).text()));
  EXPECT_TRUE(file.tensors().empty());
}

// The rest of the suite does not see which format a checkpoint's tensors are in.
TEST(Gguf, ACheckpointsTensorsMayLieInOne) {
  const TestDirectory directory;
  SynthOptions options = tiny_widths();
  options.num_hidden_layers = 6;
  const auto path = directory.path() / "model";
  write_synthetic_checkpoint("31b", path, options);
  const auto expected = Checkpoint::open(path);
  std::string data;
  const auto source = Container::open(path / "model.safetensors");
  GgufFile file(0, 3, source.tensors().size());
  for (const StoredTensor& tensor : source.tensors()) {
    file.tensor(tensor.name, {tensor.shape.rbegin(), tensor.shape.rend()}, kBf16, data.size());
    const auto bytes = source.bytes(tensor);
    data.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    data.resize((data.size() + 31) / 32 * 32);
  }
  const std::string whole = file.pad(32).bytes(data).text();
  const auto copy = directory.path() / "copy";
  std::filesystem::create_directory(copy);
  std::filesystem::copy_file(path / "config.json", copy / "config.json");
  std::ofstream(copy / "model.safetensors", std::ios::binary) << whole;
  const auto found = Checkpoint::open(copy);
  const std::string name = "layers.1.mlp.down_proj.weight";
  const StoredBytes stored = found.stored(name).value();
  EXPECT_EQ(stored.dtype, DType::kBf16);
  EXPECT_THAT(stored.shape, ElementsAre(16, 24));
  EXPECT_TRUE(std::ranges::equal(stored.bytes, expected.stored(name).value().bytes));
  EXPECT_EQ(stored.bytes.size(), 16U * 24 * 2);
  std::vector<double> values(7), same(7);
  found.read(name, 100, 7, values.data());
  expected.read(name, 100, 7, same.data());
  EXPECT_EQ(values, same);
}

TEST(GgufMetadata, IntegersOfEveryWidthAndStrings) {
  GgufFile file(4);
  file.key("a", GgufFile::kUint8).bytes("\x07");
  file.key("b", GgufFile::kUint64).number(std::uint64_t{1} << 40);
  file.key("c", GgufFile::kInt8).bytes("\xFF");
  file.strings("d", {"x", "", "yz"});
  const auto bytes = std::as_bytes(std::span(file.text()));
  const GgufMetadata metadata(bytes, "x");
  EXPECT_EQ(metadata.integer_or("a", 0), 7U);
  EXPECT_EQ(metadata.integer_or("b", 0), std::uint64_t{1} << 40);
  EXPECT_EQ(metadata.integer_or("none", 5), 5U);
  EXPECT_THAT(metadata.strings("d", 3), ElementsAre("x", "", "yz"));
  EXPECT_EQ(metadata.end(), bytes.size());
  EXPECT_EQ(error_of([&] { metadata.integer_or("c", 0); }),
            "x: c: got another type or a negative number, expected a non-negative integer");
  EXPECT_EQ(error_of([&] { metadata.integer_or("d", 0); }),
            "x: d: got another type or a negative number, expected a non-negative integer");
  EXPECT_EQ(error_of([&] { metadata.strings("d", 2); }), "x: d: got 3 strings, expected at most 2");
  EXPECT_EQ(error_of([&] { metadata.strings("e", 2); }), "x: e: got nothing, expected strings");
  EXPECT_EQ(error_of([&] { metadata.strings("a", 2); }),
            "x: a: got another type, expected strings");
}

TEST(GgufErrors, OfDescriptions) {
  const auto one = [](const std::vector<std::uint64_t>& extents, std::uint32_t type,
                      std::uint64_t offset) {
    return error_of_file(
        GgufFile(0, 3, 1).tensor("a", extents, type, offset).pad(32).bytes("12345678").text());
  };
  EXPECT_EQ(one({2}, kF32, 0), "no error");
  EXPECT_EQ(one({1, 1, 1, 1, 1}, kF32, 0), "x.gguf: a: number of axes: got 5, expected at most 4");
  EXPECT_THAT(one({2}, kUnknown, 0),
              HasSubstr("x.gguf: a: type: got 99, expected that of one of BF16, F16, F32, F64, "));
  EXPECT_THAT(one({256}, kQ2K, 0), HasSubstr("x.gguf: a: type: got Q2_K, expected that of one of"));
  EXPECT_EQ(one({33}, kQ8Blocks, 0),
            "x.gguf: a: shape: got [33], expected rows of whole blocks of 32 elements, as Q8_0 has "
            "them");
  EXPECT_EQ(one({2}, ~0U, 0).substr(0, 32), "x.gguf: a: type: got 4294967295,");
  EXPECT_EQ(one({1ULL << 32, 1ULL << 32}, kF32, 0),
            "x.gguf: a: shape: got [4294967296, 4294967296], expected a product of fewer than 2^64 "
            "bytes");
  EXPECT_EQ(one({3}, kF32, 0),
            "x.gguf: a: offset: got 12 bytes from byte 0, expected a range within the 8 bytes of "
            "the data section");
  EXPECT_EQ(one({1}, kF32, 4), "x.gguf: a: offset: got 4, expected a multiple of the alignment 32");
  EXPECT_THAT(one({1}, kF32, 1ULL << 63), HasSubstr("a: offset: got 4 bytes from byte 92233720"));
  EXPECT_THAT(one({1ULL << 61}, kF32, ~std::uint64_t{31}), HasSubstr("a: offset: got 9223372036"));
}

TEST(GgufErrors, OfTheTensorTable) {
  EXPECT_EQ(error_of_file(GgufFile(0, 3, ~std::uint64_t{0}).text()),
            "x.gguf: number of tensors: got 18446744073709551615, expected at most 0, no more than "
            "the file holds");
  EXPECT_EQ(error_of_file(GgufFile(0, 3, 2)
                              .tensor("a", {}, kF32, 0)
                              .tensor("a", {}, kF32, 32)
                              .pad(32)
                              .bytes(std::string(64, '\0'))
                              .text()),
            "x.gguf: a: got the name twice, expected it once");
  EXPECT_EQ(error_of_file(GgufFile(0, 3, 2)
                              .tensor("a", {9}, kF32, 0)
                              .tensor("b", {1}, kF32, 32)
                              .pad(32)
                              .bytes(std::string(64, '\0'))
                              .text()),
            "x.gguf: b: offset: got 32 (an overlap), expected at least 36, the end of a");
  EXPECT_EQ(
      error_of_file(GgufFile(0, 3, 1).number(~std::uint64_t{0}).bytes(std::string(32, ' ')).text()),
      "x.gguf: a tensor's name: got 32 bytes, expected at least 18446744073709551615 (byte "
      "32)");
}

TEST(GgufErrors, OfTheMetadata) {
  for (const std::uint32_t alignment : {0U, 3U, 1U << 31}) {
    EXPECT_EQ(error_of_file(
                  GgufFile(1).key("general.alignment", GgufFile::kUint32).number(alignment).text()),
              "x.gguf: general.alignment: got " + std::to_string(alignment) +
                  ", expected a power of two of at most 1048576");
  }
  EXPECT_EQ(error_of_file(
                GgufFile(2).key("a", GgufFile::kUint32).number(1U).key("a", 4).number(1U).text()),
            "x.gguf: a: got the key twice, expected it once");
  GgufFile nested(1);
  nested.key("a", GgufFile::kArray).array(GgufFile::kArray, 2).array(GgufFile::kUint8, 0);
  EXPECT_EQ(error_of_file(nested.text()),
            "x.gguf: a: an array: got 2 values, expected no more than the file holds");
}

// Whatever is lost or changed: one line, never a crash.
TEST(GgufErrors, EveryTruncationAndManyDamages) {
  const TestDirectory directory;
  const std::string whole = two_tensors().text();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(error_of_file(whole.substr(0, size)), "no error") << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\0', '\x7F', '\xFF'}) {
      std::string damaged = whole;
      damaged[at] = byte;
      const auto path = directory.write("x.gguf", damaged);
      error_of([&] {
        const auto file = Container::open(path);
        for (const StoredTensor& tensor : file.tensors()) {
          file.read(tensor.name);
        }
      });
    }
  }
}

}  // namespace
}  // namespace assay
