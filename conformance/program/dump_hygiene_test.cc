// SPDX-License-Identifier: Apache-2.0
// What people really hand in to `assay compare`: a right dump whose names, rows, types or buffers
// are not what was asked for. Each is told apart from wrong arithmetic, and from a pass.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <string>

#include "conformance/records/golden.h"
#include "conformance/testing/test_program.h"
#include "reference/family/base/json.h"
#include "reference/family/base/number_formats.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::program {
namespace {

using conformance::Tap;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kCase = source_dir() + "/golden/cases/e2b-tiny/text-long.h5";

struct Entry {
  std::string name;
  std::string dtype;
  std::vector<std::size_t> shape;
  std::string bytes;
};

template <class Value>
std::string bytes_of(const std::vector<double>& values, Value (*convert)(double)) {
  std::string bytes;
  for (const double value : values) {
    const Value stored = convert(value);
    bytes.append(reinterpret_cast<const char*>(&stored), sizeof(stored));
  }
  return bytes;
}

Entry f32(const Tap& tap, const std::string& name = "") {
  return {name.empty() ? tap.name : name, "F32", tap.shape,
          bytes_of<float>(tap.values, [](double v) { return static_cast<float>(v); })};
}

std::uint16_t bf16_bits(double value) {
  return bf16_from_float(static_cast<float>(value));
}

Entry last_row(const Tap& tap) {
  Tap row = tap;
  const std::size_t width = tap.values.size() / tap.shape[0];
  row.values.assign(tap.values.end() - static_cast<std::ptrdiff_t>(width), tap.values.end());
  row.shape[0] = 1;
  return f32(row);
}

class DumpHygiene : public testing::Test {
 protected:
  const conformance::Golden golden_ = conformance::read_golden(kCase);
  const TestDirectory folder_;

  const Tap& truth(const std::string& name) const { return golden_.truth.at(name); }
  const Tap& out(int layer) const { return truth("text.layer." + std::to_string(layer) + ".out"); }

  std::string write(const std::vector<Entry>& entries, const std::string& metadata = "") const {
    std::string header = "{" + metadata;
    std::string data;
    for (const Entry& entry : entries) {
      header += header.size() > 1 ? "," : "";
      header += "\"" + entry.name + "\":{\"dtype\":\"" + entry.dtype + "\",\"shape\":[";
      for (std::size_t i = 0; i < entry.shape.size(); ++i) {
        header += (i == 0 ? "" : ",") + std::to_string(entry.shape[i]);
      }
      header += "],\"data_offsets\":[" + std::to_string(data.size()) + ",";
      data += entry.bytes;
      header += std::to_string(data.size()) + "]}";
    }
    header += "}";
    const std::string length = safetensors_file("", 0, header.size());
    return folder_.write("mine.safetensors", length + header + data).string();
  }

  Outcome compare(const std::string& dump, const std::string& options = "") const {
    return run("compare " + kCase + " " + dump + " --report " + report().string() + " " + options);
  }
  std::filesystem::path report() const { return folder_.path() / "report"; }
  Json json() const { return parse_json(contents(report() / "report.json"), "report.json"); }
};

TEST_F(DumpHygiene, TheLastRowOfTheLogitsIsJudgedAsSuch) {
  std::vector<Entry> entries;
  for (int layer = 0; layer < 7; ++layer) {
    entries.push_back(f32(out(layer)));
  }
  entries.push_back(last_row(truth("text.logits")));
  const Outcome outcome = compare(write(entries));
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text,
              AllOf(HasSubstr("2 pass, 0 fail"), Not(HasSubstr("SHAPE")),
                    HasSubstr("note        text.logits: holds the last of 11 rows and is judged "
                              "by it")));
  EXPECT_EQ(json()["cases"][0]["notes"][0]["taps"][0], "text.logits");
  EXPECT_THAT(contents(report() / "junit.xml"), HasSubstr("note: text.logits: holds the last"));
}

// [V], as servers give it, alone.
TEST_F(DumpHygiene, ALoneRowOfLogitsIsJudgedAndAWrongOneFails) {
  Entry row = last_row(truth("text.logits"));
  row.shape = {row.shape.back()};
  EXPECT_EQ(compare(write({row})).status, 0);
  Tap wrong = truth("text.logits");
  wrong.values.back() += 0.5;
  const Outcome outcome = compare(write({last_row(wrong)}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("introduced  text.logits"), HasSubstr("at [10, 63]"),
                                  Not(HasSubstr("SHAPE"))));
}

// A layer whose last rows alone were kept goes on from the computed others in the replay.
TEST_F(DumpHygiene, TheLastRowOfALayerIsReplayed) {
  const Outcome outcome =
      compare(write({f32(out(5)), last_row(out(6)), last_row(truth("text.logits"))}));
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("text.layer.6.out, text.logits: holds the last of 11 rows"));
}

TEST_F(DumpHygiene, ADumpOfUnknownNamesIsBadInput) {
  std::vector<Entry> entries;
  for (int layer = 0; layer < 7; ++layer) {
    entries.push_back(f32(out(layer), "model.layers." + std::to_string(layer) + ".out"));
  }
  entries.push_back(f32(truth("text.logits")));
  const Outcome outcome = compare(write(entries));
  EXPECT_EQ(outcome.status, 2) << outcome.text;
  EXPECT_THAT(outcome.text,
              AllOf(HasSubstr("ignored     model.layers.{0-6}.out: no tap; did you mean "
                              "text.layer.{0-6}.out?"),
                    HasSubstr("7 of 8 arrays of the dump bear no tap's name"),
                    HasSubstr("0 pass, 0 fail, 2 not tested"), HasSubstr("assay: ")));
  const Json report_json = json();
  EXPECT_EQ(report_json["summary"]["not_tested"], 2);
  const Json& first = report_json["cases"][0];
  EXPECT_EQ(first["verdict"], "not_tested");
  EXPECT_EQ(first["ignored"].size(), 7u);
  EXPECT_EQ(first["ignored"][0]["name"], "model.layers.0.out");
  EXPECT_EQ(first["ignored"][0]["did_you_mean"], "text.layer.0.out");
  EXPECT_THAT(contents(report() / "junit.xml"),
              AllOf(HasSubstr("errors=\"2\""),
                    HasSubstr("ignored: model.layers.6.out: did you mean text.layer.6.out?")));
}

TEST_F(DumpHygiene, AFewUnknownNamesAreAWarning) {
  const Outcome outcome =
      compare(write({f32(out(0)), f32(truth("text.logits")), f32(out(1), "my.debug.tensor")}));
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("2 warning"), Not(HasSubstr("did you mean")),
                                  HasSubstr("ignored     my.debug.tensor: no tap")));
  EXPECT_TRUE(json()["cases"][0]["ignored"][0]["did_you_mean"].is_null());
  EXPECT_THAT(contents(report() / "junit.xml"), HasSubstr("my.debug.tensor"));
}

TEST_F(DumpHygiene, NoKnownNameAtAllIsOneLine) {
  const Outcome outcome = compare(write({f32(out(0), "text.layers.0.out")}));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.text, HasSubstr("text.layers.0.out: did you mean text.layer.0.out?"));
  EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1);
}

TEST_F(DumpHygiene, OneBufferUnderSevenNamesIsSaidToBeOne) {
  std::vector<Entry> entries;
  for (int layer = 0; layer < 7; ++layer) {
    entries.push_back(f32(out(6), out(layer).name));
  }
  const Outcome outcome = compare(write(entries));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text,
              HasSubstr("note        text.layer.{0-6}.out: bit for bit equal, one and "
                        "the same array, where the truth has different ones"));
  EXPECT_THAT(outcome.text, HasSubstr("text.layer.{0-5}.out  ALIASED"));
  EXPECT_EQ(json()["cases"][0]["taps"][0]["code"], "ALIASED");
  EXPECT_THAT(contents(report() / "junit.xml"), HasSubstr("suspect the dump"));
}

TEST_F(DumpHygiene, BitsOfBf16InIntegersAreReadAndToldOf) {
  std::vector<Entry> entries;
  for (int layer = 0; layer < 7; ++layer) {
    const Tap& tap = out(layer);
    entries.push_back({tap.name, layer % 2 == 0 ? "U16" : "I16", tap.shape,
                       bytes_of<std::uint16_t>(tap.values, bf16_bits)});
  }
  const Outcome outcome = compare(write(entries), "--precision bf16 --mode chained --only '*'");
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("text.layer.{0-6}.out: bf16 bits stored as U16, read as "
                                      "bf16, under which they are near the truth"));
  const Tap& tap = out(0);
  const std::string counts(tap.values.size() * 2, '\x07');
  const Outcome refused = compare(write({{tap.name, "U16", tap.shape, counts}}));
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.text, HasSubstr("mine.safetensors: text.layer.0.out: got integers (U16), "
                                      "expected floating-point numbers"));
}

// mx.save_safetensors writes null where there is no metadata, and bf16 under its own name.
TEST_F(DumpHygiene, WhatMlxWritesIsRead) {
  const Tap& tap = out(0);
  const Entry entry{tap.name, "BF16", tap.shape, bytes_of<std::uint16_t>(tap.values, bf16_bits)};
  const std::string dump = write({entry}, "\"__metadata__\":null");
  EXPECT_EQ(compare(dump, "--precision bf16 --only text.layer.0.out").status, 0);
  EXPECT_THAT(run("inspect " + dump).text, HasSubstr("text.layer.0.out  [11, 36]"));
}

// A replay that nobody asked for is not one that could not be made.
TEST_F(DumpHygiene, ChainedAloneSaysThatThereWasNoReplay) {
  const std::string dump = write({f32(out(1), "text.layer.0.out")});
  EXPECT_THAT(compare(dump, "--mode chained").text,
              AllOf(HasSubstr("without a replay (--mode replay), the first failing tap is named"),
                    Not(HasSubstr("without a checkpoint"))));
}

TEST_F(DumpHygiene, InspectTellsWhatWasDecoded) {
  const std::string cases = source_dir() + "/golden/cases/e2b-tiny/";
  EXPECT_THAT(run("inspect " + cases + "text-decode.h5").text,
              HasSubstr("decode_from: 5, the oracle fed 5 tokens at once and the other 7 one at a "
                        "time"));
  EXPECT_THAT(run("inspect " + cases + "text-long.h5").text, Not(HasSubstr("decode_from")));
  const std::string dump = (folder_.path() / "mine.h5").string();
  ASSERT_EQ(run("dump --checkpoint " + source_dir() +
                "/golden/checkpoints/e2b-tiny --taps text.logits --prefill 1 --case " + kCase +
                " --out " + dump)
                .status,
            0);
  EXPECT_THAT(run("inspect " + dump).text, HasSubstr("prefill: 1\n"));
}

TEST_F(DumpHygiene, FilesOfOtherKindsAreOneLine) {
  const std::vector<std::pair<std::string, std::string>> files = {
      {std::string("\x93NUMPY\x01\x00v\x00{'descr': '<f4'", 26), "a NumPy array (.npy)"},
      {std::string("PK\x03\x04", 4) + std::string(22, '\0') + std::string("\x05\0\0\0", 4) +
           "a.npy",
       "a NumPy archive (.npz)"},
      {"{\"version\": \"1.0\"}", "JSON"},
      {"tap,value\n", "text"},
  };
  for (const auto& [bytes, kind] : files) {
    const std::string file = folder_.write("mine.bin", bytes).string();
    for (const std::string& command : {"inspect " + file, "compare " + kCase + " " + file}) {
      const Outcome outcome = run(command);
      EXPECT_EQ(outcome.status, 2);
      EXPECT_THAT(outcome.text, StartsWith("assay: mine.bin: file: got " + kind +
                                           ", expected safetensors or HDF5"));
      EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << outcome.text;
    }
  }
  const std::string gguf = folder_.write("mine.gguf", std::string("GGUF\x03\0\0\0", 8)).string();
  EXPECT_THAT(compare(gguf).text, StartsWith("assay: mine.gguf: file: got a GGUF file, expected"));
}

}  // namespace
}  // namespace assay::program
