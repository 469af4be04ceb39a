// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <fstream>

#include "conformance/records/golden.h"
#include "conformance/testing/file_maker.h"

namespace assay::conformance {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using testing::Folder;
using ::testing::HasSubstr;
using testing::spoil;
using ::testing::StartsWith;
using testing::write_small_golden;

void write_safetensors(const std::filesystem::path& path, const std::string& header,
                       const std::string& data) {
  std::string bytes;
  for (std::size_t i = 0; i < 8; ++i) {
    bytes += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  }
  std::ofstream(path, std::ios::binary) << bytes << header << data;
}

TapSet two_taps() {
  TapSet taps;
  taps.add({"text.ids", {2}, {4, 5}, true});
  taps.add({"text.embed", {2, 2}, {0.1, NAN, -INFINITY, 4}, false});
  return taps;
}

TEST(Dump, comes_back_as_it_was_written) {
  const Folder folder;
  write_dump(folder / "a.h5", two_taps(), {{"implementation", "mine"}});
  const Dump dump = read_dump(folder / "a.h5");
  EXPECT_EQ(dump.attributes.at("implementation"), "mine");
  ASSERT_EQ(dump.taps.size(), 2u);
  const Tap& embed = dump.taps.at("text.embed");
  EXPECT_EQ(embed.values[0], 0.1);
  EXPECT_TRUE(std::isnan(embed.values[1]));
  EXPECT_EQ(embed.values[2], -INFINITY);
  EXPECT_FALSE(embed.integer);
  EXPECT_TRUE(dump.taps.at("text.ids").integer);
  EXPECT_TRUE(dump.unknown.empty());
}

TEST(Dump, can_be_written_in_fp32) {
  const Folder folder;
  write_dump(folder / "a.h5", two_taps(), {}, DumpPrecision::kF32);
  EXPECT_EQ(read_dump(folder / "a.h5").taps.at("text.embed").values[0], static_cast<double>(0.1f));
}

TEST(Dump, replaces_a_file_only_when_complete) {
  const Folder folder;
  write_dump(folder / "a.h5", two_taps(), {});
  TapSet bad;
  bad.add({"text.ids", {1}, {0.5}, true});
  EXPECT_EQ(error_of([&] { write_dump(folder / "a.h5", bad, {}); }),
            "a.h5: /taps/text.ids: got 0.500000, expected an integer of 32 bits");
  EXPECT_EQ(read_dump(folder / "a.h5").taps.size(), 2u);
  TapSet slash;
  slash.add({"a/b", {1}, {0.5}, false});
  EXPECT_THAT(error_of([&] { write_dump(folder / "b.h5", slash, {}); }),
              HasSubstr("got the name \"a/b\""));
}

TEST(Dump, may_be_a_golden) {
  const Folder folder;
  write_small_golden(folder / "a.h5");
  const Dump dump = read_dump(folder / "a.h5");
  EXPECT_EQ(dump.taps.size(), 3u);
  EXPECT_EQ(dump.taps.at("text.embed").values[0], 1 + 0x1p-30);
}

TEST(Dump, may_have_its_taps_at_the_root_and_under_other_names) {
  const Folder folder;
  Hdf5Writer file(folder / "a.h5");
  file.write_f32("/text.logits", {1, 2}, {1, 2});
  file.write_f32("/model.layers.7.q", {1, 1, 2}, {3, 4});
  file.make_group("/notes");
  file.finish();
  const NameMap map = NameMap::parse("text.layer.{i}.attn.q_proj,model.layers.{i}.q", "map");
  const Dump dump = read_dump(folder / "a.h5", &map);
  ASSERT_EQ(dump.taps.size(), 2u);
  EXPECT_THAT(dump.taps.at("text.layer.7.attn.q_proj").values, ElementsAre(3, 4));
  const Dump unmapped = read_dump(folder / "a.h5");
  EXPECT_THAT(unmapped.unknown, ElementsAre("model.layers.7.q"));
}

TEST(Dump, reads_safetensors) {
  const Folder folder;
  const std::string header = R"({"text.embed":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]},)"
                             R"("text.ids":{"dtype":"I64","shape":[1],"data_offsets":[4,12]}})";
  write_safetensors(folder / "a.safetensors", header,
                    std::string("\x80\x3F\x00\xC0\x07\0\0\0\0\0\0\0", 12));
  const Dump dump = read_dump(folder / "a.safetensors");
  EXPECT_THAT(dump.taps.at("text.embed").values, ElementsAre(1, -2));
  EXPECT_THAT(dump.taps.at("text.ids").values, ElementsAre(7));
  EXPECT_TRUE(dump.taps.at("text.ids").integer);
}

void write_as(hid_t file, const std::string& name, hid_t type, const void* values) {
  const hsize_t count = 2;
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t set = H5Dcreate2(file, ("/taps/" + name).c_str(), type, space, H5P_DEFAULT,
                               H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_GE(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
  H5Dclose(set);
  H5Sclose(space);
}

// As h5py stores the two bytes that NumPy makes of MLX's bfloat16: H5T_OPAQUE.
TEST(Dump, keeps_the_type_of_an_array) {
  const Folder folder;
  write_dump(folder / "a.h5", two_taps(), {}, DumpPrecision::kF32);
  const std::uint16_t bits[] = {0x3F80, 0xC000};
  spoil(folder / "a.h5", [&](hid_t file) {
    const hid_t two_bytes = H5Tcreate(H5T_OPAQUE, 2);
    write_as(file, "text.layer.0.out", two_bytes, bits);
    H5Tclose(two_bytes);
    write_as(file, "text.layer.1.out", H5T_NATIVE_UINT16, bits);
    write_as(file, "text.layer.2.out", H5T_NATIVE_INT16, bits);
  });
  const Dump dump = read_dump(folder / "a.h5");
  for (const auto& [name, stored] : {std::pair{"text.layer.0.out", "V2"},
                                     {"text.layer.1.out", "U16"},
                                     {"text.layer.2.out", "I16"},
                                     {"text.embed", "F32"},
                                     {"text.ids", "I32"}}) {
    EXPECT_EQ(dump.taps.at(name).stored, stored) << name;
  }
  EXPECT_THAT(dump.taps.at("text.layer.0.out").values, ElementsAre(0x3F80, 0xC000));
  EXPECT_TRUE(dump.taps.at("text.layer.0.out").integer);
  EXPECT_THAT(dump.taps.at("text.layer.2.out").values, ElementsAre(0x3F80, -0x4000));
  spoil(folder / "a.h5", [&](hid_t file) {
    const hid_t four_bytes = H5Tcreate(H5T_OPAQUE, 4);
    const std::uint32_t values[] = {1, 2};
    write_as(file, "text.layer.3.out", four_bytes, values);
    H5Tclose(four_bytes);
  });
  EXPECT_EQ(error_of([&] { read_dump(folder / "a.h5"); }),
            "a.h5: /taps/text.layer.3.out: got values without a type, expected numbers");
}

TEST(Dump, refuses_what_it_cannot_trust) {
  const Folder folder;
  write_safetensors(folder / "short.safetensors",
                    R"({"text.embed":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})", "1234");
  EXPECT_THAT(error_of([&] { read_dump(folder / "short.safetensors"); }),
              StartsWith("short.safetensors: "));
  write_safetensors(folder / "empty.safetensors", "{}", "");
  EXPECT_EQ(error_of([&] { read_dump(folder / "empty.safetensors"); }),
            "empty.safetensors: taps: got none, expected at least one");
  std::ofstream(folder / "text.h5") << "hello";
  EXPECT_EQ(error_of([&] { read_dump(folder / "text.h5"); }),
            "text.h5: file: got text, expected safetensors or HDF5");
  EXPECT_NE(error_of([&] { read_dump(folder / "none"); }), "no error");
  write_dump(folder / "link.h5", two_taps(), {});
  spoil(folder / "link.h5", [](hid_t file) {
    H5Lcreate_soft("/taps/text.ids", file, "/taps/text.logits", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_EQ(error_of([&] { read_dump(folder / "link.h5"); }),
            "link.h5: /taps/text.logits: got a soft or external link, expected the object itself");
}

TEST(Dump, refuses_two_names_of_one_tap) {
  const Folder folder;
  Hdf5Writer file(folder / "a.h5");
  file.write_f32("/text.logits", {1, 2}, {1, 2});
  file.write_f32("/out", {1, 2}, {1, 2});
  file.finish();
  const NameMap map = NameMap::parse("text.logits,out", "map");
  EXPECT_EQ(error_of([&] { read_dump(folder / "a.h5", &map); }),
            "a.h5: text.logits: got out and text.logits, expected one of them");
}

}  // namespace
}  // namespace assay::conformance
