// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/golden.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "conformance/testing/file_maker.h"

namespace assay::conformance {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using testing::Folder;
using testing::remake;
using testing::set_attribute;
using testing::spoil;
using testing::write_small_golden;

std::vector<std::string> names(const TapSet& taps) {
  std::vector<std::string> all;
  for (const Tap& tap : taps) {
    all.push_back(tap.name);
  }
  return all;
}

TEST(Golden, reads_inputs_truth_and_floors) {
  const Folder folder;
  write_small_golden(folder / "a.h5");
  const Golden golden = read_golden(folder / "a.h5");
  EXPECT_EQ(golden.checkpoint, "e2b-tiny");
  EXPECT_EQ(golden.case_name, "text-3");
  EXPECT_EQ(golden.attributes.at("format_version"), "1");
  EXPECT_THAT(golden.input.ids, ElementsAre(2, 7, 9));
  EXPECT_THAT(golden.input.token_types, ElementsAre(0, 1, 1));
  ASSERT_EQ(golden.input.media.size(), 1u);
  EXPECT_EQ(golden.input.media[0].rows, 2u);
  EXPECT_FALSE(golden.input.draft);
  EXPECT_THAT(names(golden.truth), ElementsAre("text.ids", "text.embed", "text.mask.global"));
  EXPECT_EQ(golden.truth.at("text.embed").values[0], 1 + 0x1p-30);
  EXPECT_TRUE(golden.truth.at("text.mask.global").integer);
  EXPECT_EQ(golden.floor("text.embed", "floor_chain_f32"), 1e-7);
  EXPECT_TRUE(std::isnan(golden.floor("text.embed", "floor_chain_bf16")));
  EXPECT_THAT(golden.floors.at("text.embed").oracles, ElementsAre("hf", "jax"));
  EXPECT_EQ(golden.reason_not_provided("text.layer.3.attn.k_rope"), "fused");
  EXPECT_EQ(golden.reason_not_provided("text.layer.3.attn.q_rope"), "");
  EXPECT_EQ(golden.reason_not_provided("media.1.vision.layer.3.attn.q_rope"), "");
}

TEST(Golden, ids_and_one_tap_are_enough) {
  const Folder folder;
  Hdf5Writer file(folder / "mine.h5");
  file.make_group("/inputs");
  file.write_i32("/inputs/ids", {2}, {1, 2});
  file.make_group("/taps");
  file.make_group("/taps/text.embed");
  file.write_f64("/taps/text.embed/hi", {2, 4}, std::vector<double>(8, 0.25));
  file.finish();
  const Golden golden = read_golden(folder / "mine.h5");
  EXPECT_EQ(golden.case_name, "mine");
  EXPECT_EQ(golden.truth.at("text.embed").values[7], 0.25);
}

TEST(Golden, reads_a_draft_request) {
  const Folder folder;
  write_small_golden(folder / "a.h5");
  spoil(folder / "a.h5", [](hid_t file) {
    H5Gclose(H5Gcreate2(file, "/inputs/draft", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    set_attribute(file, "/inputs/draft", "token", 5);
    set_attribute(file, "/inputs/draft", "steps", 3);
    set_attribute(file, "/inputs/draft", "window", "std");
  });
  const Golden golden = read_golden(folder / "a.h5");
  ASSERT_TRUE(golden.input.draft);
  EXPECT_EQ(golden.input.draft->token, 5);
  EXPECT_EQ(golden.input.draft->steps, 3u);
  EXPECT_TRUE(golden.input.draft->standard_window);
}

// One way to spoil the small golden, and the message that must follow.
struct Spoiled {
  const char* name;
  void (*change)(hid_t file);
  const char* message;
};

void fill(hid_t file, const char* name, const std::vector<double>& values) {
  const Hdf5Handle dataset(H5Dopen2(file, name, H5P_DEFAULT), H5Dclose);
  H5Dwrite(dataset.id(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
}

void remake_filled(hid_t file, const char* name, hid_t type, const std::vector<hsize_t>& shape,
                   const std::vector<double>& values) {
  remake(file, name, type, shape);
  fill(file, name, values);
}

// A creation plan with chunks and deflate, so that zeros take no room.
Hdf5Handle squeezed(const std::vector<hsize_t>& chunk) {
  Hdf5Handle plan(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_chunk(plan.id(), static_cast<int>(chunk.size()), chunk.data());
  H5Pset_deflate(plan.id(), 9);
  return plan;
}

constexpr const char* kHi = "/taps/text.embed/hi";

const Spoiled kSpoiled[] = {
    {"no_ids", [](hid_t file) { H5Ldelete(file, "/inputs/ids", H5P_DEFAULT); },
     "a.h5: /inputs/ids: got nothing, expected token ids [T]"},
    {"empty_ids", [](hid_t file) { remake(file, "/inputs/ids", H5T_STD_I32LE, {0}); },
     "a.h5: /inputs/ids: got shape [0], expected one axis with at least one value"},
    {"float_ids",
     [](hid_t file) {
       remake_filled(file, "/inputs/ids", H5T_IEEE_F32LE, {3}, {1, 2, 3});
     },
     "a.h5: /inputs/ids: got floating-point numbers, expected integers"},
    {"rank_two_ids",
     [](hid_t file) {
       remake_filled(file, "/inputs/ids", H5T_STD_I32LE, {1, 3}, {1, 2, 3});
     },
     "a.h5: /inputs/ids: got shape [1, 3], expected one axis"},
    {"negative_id",
     [](hid_t file) {
       fill(file, "/inputs/ids", {2, -7, 9});
     },
     "a.h5: /inputs/ids[1]: got -7, expected 0 to 2147483647"},
    {"huge_id",
     [](hid_t file) {
       remake_filled(file, "/inputs/ids", H5T_STD_I64LE, {3}, {2, 7, 1e12});
     },
     "a.h5: /inputs/ids[2]: got 1000000000000, expected 0 to 2147483647"},
    {"short_token_types",
     [](hid_t file) {
       remake_filled(file, "/inputs/token_types", H5T_STD_I32LE, {2}, {0, 1});
     },
     "a.h5: /inputs/token_types: got 2 values, expected 3, one for each id"},
    {"unknown_token_type",
     [](hid_t file) {
       fill(file, "/inputs/token_types", {0, 1, 4});
     },
     "a.h5: /inputs/token_types[2]: got 4, expected 0 to 3"},
    {"too_few_placeholders",
     [](hid_t file) {
       fill(file, "/inputs/token_types", {0, 1, 0});
     },
     "a.h5: /inputs/media/0/soft: got 2 rows, expected 1, the placeholders of kind image there"},
    {"placeholder_without_item",
     [](hid_t file) {
       fill(file, "/inputs/token_types", {1, 1, 3});
     },
     "a.h5: /inputs/media: got 1 items, expected one more for the placeholder at position 2"},
    {"media_without_kind",
     [](hid_t file) { H5Adelete_by_name(file, "/inputs/media/0", "kind", H5P_DEFAULT); },
     "a.h5: /inputs/media/0@kind: got nothing, expected image, frame, video or audio"},
    {"media_of_odd_kind",
     [](hid_t file) { set_attribute(file, "/inputs/media/0", "kind", "smell"); },
     "a.h5: /inputs/media/0@kind: got \"smell\", expected image, frame, video or audio"},
    {"media_without_soft", [](hid_t file) { H5Ldelete(file, "/inputs/media/0/soft", H5P_DEFAULT); },
     "a.h5: /inputs/media/0: got no data, expected one of file, rgb, patches, soft"},
    {"media_not_finite",
     [](hid_t file) {
       fill(file, "/inputs/media/0/soft", {1, 2, INFINITY, 4});
     },
     "a.h5: /inputs/media/0/soft: got a value that is not finite, expected finite values"},
    {"draft_without_token",
     [](hid_t file) {
       H5Gclose(H5Gcreate2(file, "/inputs/draft", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
     },
     "a.h5: /inputs/draft@token: got nothing, expected an integer"},
    {"no_taps", [](hid_t file) { H5Ldelete(file, "/taps", H5P_DEFAULT); },
     "a.h5: /taps: got no group, expected taps"},
    {"tap_without_values", [](hid_t file) { H5Ldelete(file, kHi, H5P_DEFAULT); },
     "a.h5: /taps/text.embed: got a group without hi and without value, expected one of them"},
    {"integers_for_hi",
     [](hid_t file) {
       remake_filled(file, kHi, H5T_STD_I32LE, {3, 2}, {1, 2, 3, 4, 5, 6});
     },
     "a.h5: /taps/text.embed/hi: got integers, expected floating-point numbers"},
    {"floats_for_value",
     [](hid_t file) {
       remake_filled(file, "/taps/text.ids/value", H5T_IEEE_F32LE, {3}, {2, 7, 9});
     },
     "a.h5: /taps/text.ids/value: got floating-point numbers, expected integers"},
    {"text_for_hi",
     [](hid_t file) {
       remake(file, kHi, H5T_C_S1, {3, 2});
     },
     "a.h5: /taps/text.embed/hi: got text, expected numbers"},
    {"long_double",
     [](hid_t file) {
       remake(file, kHi, H5T_NATIVE_LDOUBLE, {3, 2});
     },
     "a.h5: /taps/text.embed/hi: got a float of 16 bytes, expected f16, bf16, f32 or f64"},
    {"hi_and_lo_differ",
     [](hid_t file) {
       remake_filled(file, "/taps/text.embed/lo", H5T_IEEE_F32LE, {2, 3}, {1, 2, 3, 4, 5, 6});
     },
     "a.h5: /taps/text.embed/lo: got shape [2, 3], expected [3, 2]"},
    {"wrong_rank",
     [](hid_t file) {
       H5Ldelete(file, "/taps/text.embed/lo", H5P_DEFAULT);
       remake_filled(file, kHi, H5T_IEEE_F32LE, {3, 2, 1}, {1, 2, 3, 4, 5, 6});
     },
     "a.h5: /taps/text.embed: got shape [3, 2, 1], expected [T, D]"},
    {"merged_rows",
     [](hid_t file) {
       H5Ldelete(file, "/taps/text.embed/lo", H5P_DEFAULT);
       remake_filled(file, kHi, H5T_IEEE_F32LE, {6}, {1, 2, 3, 4, 5, 6});
     },
     "a.h5: /taps/text.embed: got shape [6], expected [T, D] with T = 3, the number of ids"},
    {"rows_that_are_no_tokens",
     [](hid_t file) {
       H5Ldelete(file, "/taps/text.embed/lo", H5P_DEFAULT);
       remake_filled(file, kHi, H5T_IEEE_F32LE, {2, 3}, {1, 2, 3, 4, 5, 6});
     },
     "a.h5: /taps/text.embed: got shape [2, 3], expected [T, D] with T = 3, the number of ids"},
    {"nan_in_the_truth",
     [](hid_t file) {
       fill(file, kHi, {1, 2, 3, NAN, 5, 6});
     },
     "a.h5: /taps/text.embed: got a NaN in the truth, expected numbers"},
    {"never_written",
     [](hid_t file) {
       remake(file, kHi, H5T_IEEE_F32LE, {3, 2});
     },
     "a.h5: /taps/text.embed/hi: got 0 stored bytes, expected between 1 and the file's"},
    {"absurd_shape",
     [](hid_t file) {
       const auto plan = squeezed({1, 1024});
       remake(file, kHi, H5T_IEEE_F32LE, {hsize_t{1} << 40, hsize_t{1} << 20}, plan.id());
     },
     "a.h5: /taps/text.embed/hi: got shape [1099511627776, 1048576], expected at most 268435456 "
     "values"},
    {"bomb",
     [](hid_t file) {
       const auto plan = squeezed({1, 1 << 20});
       remake(file, kHi, H5T_IEEE_F32LE, {hsize_t{1} << 7, hsize_t{1} << 20}, plan.id());
       const Hdf5Handle dataset(H5Dopen2(file, kHi, H5P_DEFAULT), H5Dclose);
       const hsize_t count[] = {1, 1 << 20};
       const hsize_t start[] = {0, 0};
       const Hdf5Handle all(H5Dget_space(dataset.id()), H5Sclose);
       const Hdf5Handle part(H5Screate_simple(2, count, nullptr), H5Sclose);
       H5Sselect_hyperslab(all.id(), H5S_SELECT_SET, start, nullptr, count, nullptr);
       const std::vector<float> zeros(1 << 20, 0.0f);
       H5Dwrite(dataset.id(), H5T_NATIVE_FLOAT, part.id(), all.id(), H5P_DEFAULT, zeros.data());
     },
     "a.h5: /taps/text.embed/hi: got 536870912 bytes in a file of"},
    {"huge_chunk",
     [](hid_t file) {
       const hsize_t most[] = {H5S_UNLIMITED, H5S_UNLIMITED};
       const hsize_t now[] = {3, 2};
       const auto plan = squeezed({1 << 16, 1 << 13});
       H5Ldelete(file, kHi, H5P_DEFAULT);
       const Hdf5Handle space(H5Screate_simple(2, now, most), H5Sclose);
       H5Dclose(
           H5Dcreate2(file, kHi, H5T_STD_I8LE, space.id(), H5P_DEFAULT, plan.id(), H5P_DEFAULT));
     },
     "a.h5: /taps/text.embed/hi: got 0 stored bytes"},
    {"soft_link",
     [](hid_t file) {
       H5Ldelete(file, kHi, H5P_DEFAULT);
       H5Lcreate_soft("/taps/text.embed/lo", file, kHi, H5P_DEFAULT, H5P_DEFAULT);
     },
     "a.h5: /taps/text.embed/hi: got a soft or external link, expected the object itself"},
    {"external_link",
     [](hid_t file) {
       H5Lcreate_external("/etc/passwd", "/", file, "/taps/text.logits", H5P_DEFAULT, H5P_DEFAULT);
     },
     "a.h5: /taps/text.logits: got a soft or external link, expected the object itself"},
    {"external_storage",
     [](hid_t file) {
       const Hdf5Handle plan(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
       H5Pset_external(plan.id(), "/etc/passwd", 0, 24);
       remake(file, kHi, H5T_IEEE_F32LE, {3, 2}, plan.id());
     },
     "a.h5: /taps/text.embed/hi: got values stored in other files, expected values in this file"},
    {"virtual_dataset",
     [](hid_t file) {
       const hsize_t extents[] = {3, 2};
       const Hdf5Handle plan(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
       const Hdf5Handle space(H5Screate_simple(2, extents, nullptr), H5Sclose);
       H5Pset_virtual(plan.id(), space.id(), "other.h5", "/x", space.id());
       remake(file, kHi, H5T_IEEE_F32LE, {3, 2}, plan.id());
     },
     "a.h5: /taps/text.embed/hi: got values stored in other files, expected values in this file"},
    {"named_type_as_tap",
     [](hid_t file) {
       const Hdf5Handle type(H5Tcopy(H5T_NATIVE_INT), H5Tclose);
       H5Tcommit2(file, "/taps/text.logits", type.id(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
     },
     "a.h5: /taps/text.logits: got an object of another kind, expected a group or a dataset"},
    {"other_version", [](hid_t file) { set_attribute(file, "/", "format_version", 2); },
     "a.h5: /@format_version: got 2, expected 1"},
    {"version_as_text", [](hid_t file) { set_attribute(file, "/", "format_version", "one"); },
     "a.h5: /@format_version: got an attribute of another type, expected one number"},
    {"checkpoint_outside", [](hid_t file) { set_attribute(file, "/", "checkpoint", "../x"); },
     "a.h5: /@checkpoint: got \"../x\", expected the name of a folder"},
    {"unknown_switch", [](hid_t file) { set_attribute(file, "/", "profile", "audio.speed=2"); },
     "a.h5: /@profile: got the switch \"audio.speed\", expected "},
    {"unknown_value_of_a_switch",
     [](hid_t file) { set_attribute(file, "/", "profile", "audio.hann=flat"); },
     "a.h5: /@profile: audio.hann: got \"flat\", expected periodic or half_sample"},
    {"reason_that_is_no_text",
     [](hid_t file) { set_attribute(file, "/", "not_provided", R"({"text.ids": 1})"); },
     "a.h5: /@not_provided: text.ids: got 1, expected a reason"},
    {"negative_floor",
     [](hid_t file) { set_attribute(file, "/taps/text.embed", "floor_chain_f32", -1.0); },
     "a.h5: /taps/text.embed@floor_chain_f32: got -1.000000, expected a number of at least 0"},
};

class SpoiledGolden : public ::testing::TestWithParam<Spoiled> {};

TEST_P(SpoiledGolden, is_refused_with_its_own_message) {
  const Folder folder;
  write_small_golden(folder / "a.h5");
  spoil(folder / "a.h5", GetParam().change);
  const std::string error = error_of([&] { read_golden(folder / "a.h5"); });
  EXPECT_THAT(error, ::testing::StartsWith(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(Golden, SpoiledGolden, ::testing::ValuesIn(kSpoiled),
                         [](const auto& spoiled) { return std::string(spoiled.param.name); });

}  // namespace
}  // namespace assay::conformance
