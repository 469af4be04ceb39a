// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/container.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>

#include "reference/family/checkpoint/safetensors_writer.h"
#include "reference/family/testing/test_directory.h"

namespace assay {
namespace {

const char* const kTwo = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                         R"("b":{"dtype":"BF16","shape":[1,3],"data_offsets":[8,14]}})";

TEST(Safetensors, ReadsWhatTheHeaderDescribes) {
  const TestDirectory directory;
  std::string bytes = safetensors_file(kTwo, 14);
  const float values[2] = {1.5f, -2.0f};
  bytes.replace(bytes.size() - 14, 8, reinterpret_cast<const char*>(values), 8);
  const auto file = Container::open(directory.write("x.safetensors", bytes));
  ASSERT_EQ(file.tensors().size(), 2u);
  EXPECT_EQ(file.tensors()[1].name, "b");
  EXPECT_EQ(file.tensors()[1].shape, (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(file.read("a"), (std::vector<double>{1.5, -2.0}));
  EXPECT_EQ(file.read("b"), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(file.find("c"), nullptr);
  EXPECT_EQ(error_of([&] { file.read("c"); }), "x.safetensors: c: got nothing, expected a tensor");
  float out = 0;
  EXPECT_EQ(error_of([&] { file.read(file.tensors()[0], 1, 2, &out); }),
            "x.safetensors: a: got a read of 2 elements from element 1, expected a range within "
            "its 2");
}

TEST(Safetensors, HeaderOrderMetadataScalarsAndEmptyTensorsAreFine) {
  const TestDirectory directory;
  const auto path = directory.write(
      "x.safetensors",
      safetensors_file(R"({"__metadata__":{"format":"pt"},)"
                       R"("z":{"data_offsets":[0,4],"shape":[],"dtype":"F32"},)"
                       R"("y":{"dtype":"I64","shape":[0,5],"data_offsets":[4,4]},)"
                       R"("x":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}}    )",
                       7));
  const auto file = Container::open(path);
  ASSERT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.read("z").size(), 1u);
  EXPECT_EQ(file.read("y").size(), 0u);
  EXPECT_EQ(file.read("x").size(), 3u);
}

// As mx.save_safetensors of MLX writes it, and the format's own library reads it.
TEST(Safetensors, MetadataMayBeNull) {
  const TestDirectory directory;
  const auto path = directory.write(
      "x.safetensors",
      safetensors_file(R"({"__metadata__":null,)"
                       R"("x":{"data_offsets":[0,4],"dtype":"BF16","shape":[1,2]}})",
                       4));
  EXPECT_EQ(Container::open(path).read("x").size(), 2u);
}

TEST(Safetensors, WriterAndReaderAgree) {
  const TestDirectory directory;
  const auto path = directory.path() / "w.safetensors";
  const std::string name = "odd \"name\"\n\\";
  {
    SafetensorsWriter writer(path, {{name, DType::kF64, {2}}, {"n", DType::kF32, {1}}});
    const double values[2] = {0.1, std::nan("")};
    writer.append(std::as_bytes(std::span(values)));
    EXPECT_EQ(error_of([&] { writer.finish(); }),
              path.string() + ": data section: got 16 bytes, expected 20");
    const float last = 3;
    writer.append(std::as_bytes(std::span(&last, 1)));
    writer.finish();
  }
  const auto file = Container::open(path);
  EXPECT_EQ(file.read(name)[0], 0.1);
  EXPECT_TRUE(std::isnan(file.read(name)[1]));  // a dump may hold what a checkpoint may not
  EXPECT_EQ(file.read("n")[0], 3.0);
  EXPECT_EQ(error_of([&] { SafetensorsWriter(path, {}); }),
            path.string() + ": got \"File exists\", expected to write the file");
}

TEST(Safetensors, OtherThingsThanFilesAreRefused) {
  const TestDirectory directory;
  EXPECT_EQ(error_of([&] { Container::open(directory.path() / "none"); }),
            "none: got \"No such file or directory\", expected a readable file");
  EXPECT_EQ(error_of([&] { Container::open(directory.path(), "folder"); }),
            "folder: got a directory or a device, expected a regular file");
  ASSERT_EQ(::mkfifo((directory.path() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { Container::open(directory.path() / "pipe"); }),
            "pipe: got a directory or a device, expected a regular file");
  EXPECT_EQ(error_of([&] { Container::open("/dev/zero"); }),
            "zero: got a directory or a device, expected a regular file");
}

struct Malformed {
  const char* what;
  std::string bytes;
  std::string message;  // after "x.safetensors: "
};

std::string one(const std::string& fields, std::size_t data_bytes) {
  return safetensors_file("{\"a\":{" + fields + "}}", data_bytes);
}

std::vector<Malformed> lengths() {
  return {
      {"empty", "", "got 0 bytes, expected at least the 8 of a safetensors header's length"},
      {"short", "1234567", "got 7 bytes, expected at least the 8 of a safetensors header's length"},
      {"huge", safetensors_file("{}", 0, ~std::uint64_t{0}),
       "header length: got 18446744073709551615, expected at most 2"},
      {"sign", safetensors_file("{}", 0, std::uint64_t{1} << 63),
       "header length: got 9223372036854775808, expected at most 2"},
      {"past the end", safetensors_file("{}", 0, 3), "header length: got 3, expected at most 2"},
      {"no header", safetensors_file("", 0),
       "header: got an error at byte 1, expected valid json in utf-8"},
      {"not json", safetensors_file("{a}", 0),
       "header: got an error at byte 2, expected valid json in utf-8"},
      {"two documents", safetensors_file("{}{}", 0),
       "header: got an error at byte 3, expected valid json in utf-8"},
      {"not utf-8", safetensors_file("{\"\xFF\":1}", 0),
       "header: got an error at byte 3, expected valid json in utf-8"},
      {"truncated data", safetensors_file(kTwo, 13),
       "b: data_offsets: got [8, 14], expected a range within the 13 bytes of the data section"},
      {"data left over", safetensors_file(kTwo, 15),
       "data section: got 15 bytes, expected 14 by the header"},
      {"nothing described", safetensors_file("{}", 4),
       "data section: got 4 bytes, expected 0 by the header"},
  };
}

std::vector<Malformed> structures() {
  const std::string object = ", expected an object with dtype, shape and data_offsets";
  return {
      {"array", safetensors_file("[]", 0), "header: got an array" + object},
      {"deep", safetensors_file(std::string(1 << 20, '['), 0), "header: got an array" + object},
      {"number for a tensor", safetensors_file(R"({"a":3})", 0), "a: got 3" + object},
      {"duplicate name",
       safetensors_file(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                        R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                        2),
       "a: got the name twice, expected it once"},
      {"a tensor is null", safetensors_file(R"({"a":null})", 0), "a: got null" + object},
      {"a text of the metadata is null", safetensors_file(R"({"__metadata__":{"a":null}})", 0),
       "header: got null, expected an object of strings as __metadata__"},
      {"metadata is a number", safetensors_file(R"({"__metadata__":{"a":1}})", 0),
       "header: got 1, expected an object of strings as __metadata__"},
      {"no shape", one(R"("dtype":"U8","data_offsets":[0,1])", 1),
       "a: got a part of the fields, expected dtype, shape and data_offsets"},
      {"field twice", one(R"("dtype":"U8","dtype":"U8")", 0),
       "a: got the field \"dtype\", expected dtype, shape and data_offsets, once each"},
      {"strange field", one(R"("strides":[1])", 0),
       "a: got the field \"strides\", expected dtype, shape and data_offsets, once each"},
      {"strange dtype", one(R"("dtype":"F4","shape":[1],"data_offsets":[0,1])", 1),
       "a: dtype: got \"F4\", expected one of BF16, F16, F32, F64, F8_E4M3, F8_E5M2, F8_E8M0, I64, "
       "I32, I16, I8, U64, "
       "U32, U16, U8, BOOL"},
      {"dtype is a number", one(R"("dtype":7)", 0), "a: got 7, expected a string as dtype"},
      {"negative extent", one(R"("dtype":"U8","shape":[-1])", 0),
       "a: got -1, expected a list of non-negative integers as shape"},
      {"fractional extent", one(R"("dtype":"U8","shape":[1.5])", 0),
       "a: got 1.5, expected a list of non-negative integers as shape"},
      {"extent of 2^64", one(R"("dtype":"U8","shape":[18446744073709551616])", 0),
       "a: got 18446744073709551616, expected a list of non-negative integers as shape"},
      {"nested shape", one(R"("dtype":"U8","shape":[[1]])", 0),
       "a: got an array, expected a list of non-negative integers as shape"},
      {"17 axes", one(R"("shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1])", 0),
       "a: got more than 16 axes, expected a list of non-negative integers as shape"},
      {"one offset", one(R"("dtype":"U8","shape":[1],"data_offsets":[0])", 1),
       "a: got 1 numbers, expected two non-negative integers as data_offsets"},
      {"three offsets", one(R"("dtype":"U8","shape":[1],"data_offsets":[0,1,2])", 1),
       "a: got 2, expected two non-negative integers as data_offsets"},
  };
}

std::vector<Malformed> ranges() {
  return {
      {"shape overflows",
       one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])", 0),
       "a: shape: got [4294967296, 4294967296], expected a product of fewer than 2^64 bytes"},
      {"bytes overflow",
       one(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0])", 0),
       "a: shape: got [4611686018427387904], expected a product of fewer than 2^64 bytes"},
      {"absurd but consistent",
       one(R"("dtype":"U8","shape":[1099511627776],"data_offsets":[0,1099511627776])", 0),
       "a: data_offsets: got [0, 1099511627776], expected a range within the 0 bytes of the data "
       "section"},
      {"backwards", one(R"("dtype":"U8","shape":[1],"data_offsets":[1,0])", 1),
       "a: data_offsets: got [1, 0], expected a range within the 1 bytes of the data section"},
      {"too few bytes", one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", 4),
       "a: data_offsets: got 4 bytes, expected 8 for F32 [2]"},
      {"gap",
       safetensors_file(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                        R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                        3),
       "b: data_offsets: got [2, 3] (a gap), expected a begin of 1"},
      {"overlap",
       safetensors_file(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                        R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                        3),
       "b: data_offsets: got [1, 3] (an overlap), expected a begin of 2"},
      {"same bytes twice",
       safetensors_file(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                        R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
                        2),
       "b: data_offsets: got [0, 2] (an overlap), expected a begin of 2"},
      {"control bytes in a name", safetensors_file("{\"a\\u001b[31m\\n\":3}", 0),
       "a?[31m?: got 3, expected an object with dtype, shape and data_offsets"},
  };
}

void expect_messages(const std::vector<Malformed>& cases) {
  const TestDirectory directory;
  for (const Malformed& bad : cases) {
    const auto path = directory.write("x.safetensors", bad.bytes);
    EXPECT_EQ(error_of([&] { Container::open(path); }), "x.safetensors: " + bad.message)
        << bad.what;
  }
}

TEST(Safetensors, MalformedLengthsAreNamed) {
  expect_messages(lengths());
}
TEST(Safetensors, MalformedHeadersAreNamed) {
  expect_messages(structures());
}
TEST(Safetensors, MalformedRangesAreNamed) {
  expect_messages(ranges());
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const TestDirectory directory;
  const std::string whole = safetensors_file(kTwo, 14);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto path = directory.write("x.safetensors", whole.substr(0, size));
    EXPECT_NE(error_of([&] { Container::open(path); }), "no error") << size;
  }
}

// A sparse file that claims a header of 100 MB and a byte: refused by the number alone.
TEST(Safetensors, HeaderLimitHoldsWhateverTheFileSize) {
  const TestDirectory directory;
  const auto path = directory.write("x.safetensors", safetensors_file("{", 0, 100'000'001));
  std::filesystem::resize_file(path, std::uintmax_t{1} << 32);
  EXPECT_EQ(error_of([&] { Container::open(path); }),
            "x.safetensors: header length: got 100000001, expected at most 100000000");
}

}  // namespace
}  // namespace assay
