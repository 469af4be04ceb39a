// SPDX-License-Identifier: Apache-2.0
// Goldens as plain files: what is written comes back, and files that are broken are refused.
#include "conformance/records/plain_golden.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "conformance/testing/file_maker.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

using testing::error_of;
using testing::Folder;
using ::testing::HasSubstr;

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class PlainGolden : public ::testing::Test {
 protected:
  std::filesystem::path written(const Golden& golden) const {
    write_plain_golden(golden, folder_ / "case");
    return folder_ / "case.golden";
  }
  // The message about a small golden with `from` replaced by `to` in its lines.
  std::string message(const std::string& from, const std::string& to) const {
    Golden golden;
    golden.case_name = "small";
    golden.profile = "REF";
    golden.input.ids = {1, 2};
    golden.truth.add({"text.embed", {2, 1}, {3, 4}});
    golden.floors["text.embed"].floors["floor_chain_f32"] = 0.5;
    const auto path = written(golden);
    std::string text = text_of(path);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    std::ofstream(path, std::ios::binary) << text.replace(at, from.size(), to);
    return error_of([&] { read_plain_golden(path); });
  }

  Folder folder_;
};

void expect_same(const Golden& a, const Golden& b) {
  EXPECT_EQ(a.checkpoint, b.checkpoint);
  EXPECT_EQ(a.drafter, b.drafter);
  EXPECT_EQ(a.profile, b.profile);
  EXPECT_EQ(a.decode_from, b.decode_from);
  EXPECT_EQ(a.input.ids, b.input.ids);
  EXPECT_EQ(a.input.token_types, b.input.token_types);
  EXPECT_EQ(a.input.draft.has_value(), b.input.draft.has_value());
  ASSERT_EQ(a.input.media.size(), b.input.media.size());
  for (std::size_t i = 0; i < a.input.media.size(); ++i) {
    const MediaItem &x = a.input.media[i], &y = b.input.media[i];
    EXPECT_EQ(x.kind, y.kind);
    EXPECT_EQ(x.values, y.values);
    EXPECT_EQ(x.file, y.file);
    EXPECT_EQ(x.rgb.shape, y.rgb.shape);
    EXPECT_EQ(x.rgb.values, y.rgb.values);
    EXPECT_EQ(x.samples.values, y.samples.values);
    EXPECT_EQ(x.patches.values, y.patches.values);
    EXPECT_EQ(x.mel.values, y.mel.values);
  }
  ASSERT_EQ(a.truth.size(), b.truth.size());
  for (auto x = a.truth.begin(), y = b.truth.begin(); x != a.truth.end(); ++x, ++y) {
    EXPECT_EQ(x->name, y->name);
    EXPECT_EQ(x->shape, y->shape) << x->name;
    EXPECT_EQ(x->integer, y->integer) << x->name;
    EXPECT_EQ(x->values, y->values) << x->name;
    EXPECT_EQ(a.floors.at(x->name).floors, b.floors.at(x->name).floors) << x->name;
    EXPECT_EQ(a.floors.at(x->name).narrowed, b.floors.at(x->name).narrowed) << x->name;
  }
}

TEST_F(PlainGolden, ComesBackAsItWas) {
  for (const char* name :
       {"31b-tiny/text-short", "e2b-tiny/draft-hf", "e2b-media-tiny/audio-one-token",
        "12b-media-tiny/pixels-rounding", "miniature-vision/vision"}) {
    const std::filesystem::path file = source_dir() + "/golden/cases/" + name + ".h5";
    if (!std::filesystem::exists(file)) {
      continue;
    }
    const Golden golden = read_golden(file);
    expect_same(golden, read_plain_golden(written(golden)));
  }
}

TEST_F(PlainGolden, BrokenLinesAreRefused) {
  EXPECT_EQ(message("floor_chain", "floor_chain"), "no error");
  EXPECT_THAT(message("golden\t1", "golden\t2"), HasSubstr("expected golden 1"));
  EXPECT_THAT(message("\tsmall\t\t", "\tsmall\t../x\t"),
              HasSubstr("expected the name of a folder"));
  EXPECT_THAT(message("ids\t0\t2", "ids\t0\t99"),
              HasSubstr("line 2: ids: got 99 numbers at byte 0, expected numbers inside 24 bytes"));
  EXPECT_THAT(message("ids\t0\t2", "ids\t-1\t2"), HasSubstr("got '-1'"));
  EXPECT_THAT(message("ids\t0", "odd\t0"), HasSubstr("got 'odd'"));
  EXPECT_THAT(message("2x1", "4294967296x4294967296"), HasSubstr("axes of at most"));
  EXPECT_THAT(message("2x1", "1x1x1x1x1x1x1x1x1"), HasSubstr("axes of at most"));
  EXPECT_THAT(message("2x1", "200"), HasSubstr("expected numbers inside"));
  EXPECT_THAT(message("\treal\t", "\tcomplex\t"), HasSubstr("expected real or integer"));
  EXPECT_THAT(message("0x1p-1", "-1"), HasSubstr("expected a number of at least 0"));
  EXPECT_THAT(message("0x1p-1", "0x1p-1\ntap\ttext.embed\treal\t0\t8\t2x1"),
              HasSubstr("got text.embed again"));
  EXPECT_THAT(message("0x1p-1", "0x1p-1\narray\tmel\t8\t2"), HasSubstr("expected media before it"));
  EXPECT_THAT(message("tap\t", "tap\tmore\t"), HasSubstr("got 7 fields, expected 6"));
}

TEST_F(PlainGolden, RequestsAreRefused) {
  Golden golden;
  golden.input.requests.emplace_back(TokenizeRequest{"text"});
  EXPECT_THAT(error_of([&] { write_plain_golden(golden, folder_ / "case"); }),
              HasSubstr("expected a case of the network"));
}

}  // namespace
}  // namespace assay::conformance
