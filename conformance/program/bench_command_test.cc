// SPDX-License-Identifier: Apache-2.0
// assay bench as its users and their scripts meet it; the rates themselves are not judged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/testing/test_program.h"
#include "reference/family/base/json.h"
#include "reference/family/testing/source_dir.h"

namespace assay::program {
namespace {

using testing::HasSubstr;

Json bench(const std::string& checkpoint, const std::string& options) {
  const auto outcome = run("bench --checkpoint " + source_dir() + "/golden/checkpoints/" +
                           checkpoint + " -p 24 -n 5 -d 12 -r 3 --json " + options);
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  return parse_json(outcome.text, "bench");
}

TEST(Bench, OneObjectTellsMachineModelAndRates) {
  const Json report = bench("e2b-q8_0-tiny/model.gguf", "-t 2");
  EXPECT_EQ(report["format_version"], 1);
  EXPECT_EQ(report["impl"], "cpu");
  EXPECT_EQ(report["weights"], "q8_0");
  EXPECT_EQ(report["precision"], "int8");
  EXPECT_EQ(report["threads"], 2);
  EXPECT_EQ(report["kv"], "bf16");
  EXPECT_EQ(report["kv_skip"], true);
  for (const char* probe : {"read_gb_s", "fma_gflop_s", "int8_gop_s", "bf16_gflop_s"}) {
    EXPECT_GE(report["probes"][probe].get<double>(), 0) << probe;
  }
  ASSERT_EQ(report["results"].array().size(), 2U);
  const Json& prefill = report["results"].array()[0];
  const Json& decode = report["results"].array()[1];
  EXPECT_EQ(prefill["test"], "pp24");
  EXPECT_EQ(decode["test"], "tg5@12");
  EXPECT_EQ(decode["of"], "read_gb_s");
  for (const Json* test : {&prefill, &decode}) {
    EXPECT_EQ((*test)["tokens_per_s"].array().size(), 3U);
    EXPECT_GT((*test)["median"].get<double>(), 0);
    EXPECT_GT((*test)["share"].get<double>(), 0);
  }
  EXPECT_GT(decode["gb_s"].get<double>(), 0);
  EXPECT_GT(prefill["gflop_s"].get<double>(), 0);
}

TEST(Bench, TheClassFollowsTheWeights) {
  EXPECT_EQ(bench("e2b-q4_0-tiny/model.gguf", "--no-kv-skip")["precision"], "int8");
  const Json exact = bench("e2b-q4_0-tiny/model.gguf", "--precision f32 --kv f32");
  EXPECT_EQ(exact["precision"], "f32");
  EXPECT_EQ(exact["kv"], "f32");
}

TEST(Bench, AnotherImplementationHasRatesWithoutShares) {
  const Json report = bench("e2b-tiny", "--impl reference");
  EXPECT_EQ(report["precision"], "f32");
  EXPECT_EQ(report["results"].array()[0].find("share"), nullptr);
  EXPECT_GT(report["results"].array()[0]["median"].get<double>(), 0);
}

TEST(Bench, WhatCannotBeMeasuredIsRefused) {
  const std::string at = "bench --checkpoint " + source_dir() + "/golden/checkpoints/e2b-tiny ";
  EXPECT_THAT(run(at + "--kv q3").text,
              HasSubstr("cache: got 'q3', expected one of f32, bf16, q8_0"));
  EXPECT_EQ(run(at + "--kv q3").status, 2);
  EXPECT_EQ(run(at + "--precision f64").status, 2);
  EXPECT_EQ(run("bench --checkpoint /nowhere").status, 2);
}

}  // namespace
}  // namespace assay::program
