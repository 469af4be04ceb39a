// SPDX-License-Identifier: Apache-2.0
// What llama.cpp computed on quantised checkpoints, through the program: golden/dumps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <span>

#include "conformance/testing/test_program.h"
#include "reference/family/checkpoint/gguf.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::program {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kGolden = source_dir() + "/golden/";

struct Dumped {
  std::string checkpoint;
  std::string dump;
};
const Dumped kQ8_0{"e2b-q8_0-tiny", "llama.cpp-e2b-q8_0-tiny.safetensors"};
const Dumped kQ4_0{"31b-q4_0-tiny", "llama.cpp-31b-q4_0-tiny.safetensors"};
const Dumped kPublished{"e2b-q8_0-tiny", "llama.cpp-table-e2b-q8_0-tiny.safetensors"};

Outcome compare(const Dumped& of, const std::string& options) {
  return run("compare " + kGolden + "cases/" + of.checkpoint + "/text-blocks.h5 " + kGolden +
             "dumps/" + of.dump + " " + options);
}

// A copy of the file in which one code of one block of one matrix is another.
std::string with_one_wrong_code(const TestDirectory& directory, const std::string& checkpoint,
                                const std::string& tensor) {
  std::string bytes = contents(kGolden + "checkpoints/" + checkpoint + "/model.gguf");
  const auto layout = parse_gguf(std::as_bytes(std::span(bytes)), "model.gguf");
  for (const StoredTensor& stored : layout.tensors) {
    if (stored.name == tensor) {
      bytes[layout.data_begin + stored.begin + 2] ^= 0x44;  // after the scale
    }
  }
  const auto path = directory.path() / "model.gguf";
  std::ofstream(path, std::ios::binary) << bytes;
  return path.string();
}

TEST(QuantisedCommand, LlamaCppIsRightInInt8) {
  for (const Dumped& of : {kQ8_0, kQ4_0}) {
    const Outcome outcome = compare(of, "--precision int8");
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("2 pass, 0 fail")) << of.dump;
  }
}

TEST(QuantisedCommand, InF32TheRoundingOfActivationsIsNamed) {
  const TestDirectory directory;
  const auto report = directory.path() / "report";
  for (const Dumped& of : {kQ8_0, kQ4_0}) {
    const Outcome outcome = compare(of, "--precision f32 --report " + report.string());
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.text,
                AllOf(HasSubstr("rounding activations before a product"), HasSubstr("class int8")));
    EXPECT_THAT(contents(report / "report.json"), HasSubstr("\"rounding_note\""));
  }
}

// A file of one wrong code in place of a port of one wrong block: replay finds the product.
TEST(QuantisedCommand, OneWrongCodeIsFoundInInt8) {
  const TestDirectory directory;
  for (const Dumped& of : {kQ8_0, kQ4_0}) {
    const std::string wrong =
        with_one_wrong_code(directory, of.checkpoint, "blk.1.ffn_down.weight");
    const Outcome refused = compare(of, "--precision int8 --mode replay --checkpoint " + wrong);
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.text, HasSubstr("whose fp64 run is not the truth of text-blocks.h5"));
    const Outcome outcome =
        compare(of, "--precision int8 --mode replay --own-truth --checkpoint " + wrong);
    EXPECT_EQ(outcome.status, 1) << outcome.text;
    EXPECT_THAT(outcome.text,
                AllOf(HasSubstr("1 of "), HasSubstr("introduced  text.layer.1.ffn.down")));
  }
}

// The library as it is published looks GELU up in a table of f16.
TEST(QuantisedCommand, AGeluFromATableIsNamedAndAllowedInInt8) {
  const std::string layer = " --mode replay --only 'text.layer.0.*'";
  EXPECT_EQ(compare(kPublished, "--precision int8" + layer).status, 0);
  const Outcome outcome = compare(kPublished, "--precision f32 --mode replay");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("a GELU looked up in a table of f16"),
                                  HasSubstr("rounding activations before a product")));
}

// An honest program that rounds no activations is right in int8, too, and in f32.
TEST(QuantisedCommand, NotRoundingIsRightInBothClasses) {
  const TestDirectory directory;
  const std::string dump = (directory.path() / "dump.h5").string();
  const std::string golden = kGolden + "cases/31b-q4_0-tiny/text-blocks.h5";
  const std::string checkpoint = " --checkpoint " + kGolden + "checkpoints/31b-q4_0-tiny";
  ASSERT_EQ(run("dump --case " + golden + " --out " + dump + checkpoint).status, 0);
  for (const std::string precision : {"f32", "int8"}) {
    const Outcome outcome = run("compare " + golden + " " + dump + " --precision " + precision);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
  }
}

}  // namespace
}  // namespace assay::program
