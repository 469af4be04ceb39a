// SPDX-License-Identifier: Apache-2.0
// The program as its users meet it: exit status, the one line of an error, the reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "conformance/records/dump.h"
#include "conformance/testing/test_program.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_gguf_model.h"
#include "reference/family/testing/test_loading_form.h"

namespace assay::program {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kGolden = source_dir() + "/golden/";
const std::string kCheckpoint = kGolden + "checkpoints/e2b-tiny";
const std::string kCase = kGolden + "cases/e2b-tiny/text-short.h5";

struct BadLine {
  std::string arguments;
  std::string expected;
};

// Every option whose help says UINT refuses what would wrap around.
TEST(CommandLine, NoUnsignedOptionTakesAMinusSign) {
  std::size_t options = 0;
  for (const std::string command : {"verify", "compare", "dump", "synth", "tokenize", "prompt",
                                    "parse", "run", "inspect", "taps", "explain"}) {
    std::istringstream help(run(command + " --help").text);
    for (std::string line; std::getline(help, line);) {
      const std::size_t name = line.find("--");
      if (name == std::string::npos || line.find("UINT") == std::string::npos) {
        continue;
      }
      const std::string option = line.substr(name, line.find_first_of(" ,", name) - name);
      for (const std::string value : {"-1", "18446744073709551616"}) {
        const Outcome outcome = run(command + " " + option + "=" + value);
        EXPECT_EQ(outcome.status, 2) << option << " " << value << "\n" << outcome.text;
        EXPECT_THAT(outcome.text, HasSubstr(option + ": ")) << command;
      }
      ++options;
    }
  }
  EXPECT_GE(options, 38U);
}

TEST(CommandLine, BadUsageIsOneLineAndStatus2) {
  const std::vector<BadLine> lines = {
      {"", "assay: A subcommand is required"},
      {"bogus", "assay: got the command 'bogus'"},
      {"verify --bogus", "--bogus"},
      {"verify --precision f7", "--precision: got 'f7'"},
      {"verify --impl other",
       "--impl: got 'other', expected one that was built: cpu, cuda, reference"},
      {"verify --level all", "--level: got 'all', expected logits, blocks or taps"},
      {"verify --profile audio.hann=flat", "--profile: audio.hann: got \"flat\""},
      {"compare " + kCase + " " + kCase + " --profile hann", "--profile: got \"hann\""},
      {"verify --mode sideways", "--mode: got 'sideways', expected chained"},
      {"verify --case nothing", "--case: got 'nothing', expected a pattern that some case matches"},
      {"verify --prefill -1", "--prefill: Value -1 not in range"},
      {"run --checkpoint x --top-k -1 Hi", "--top-k: got -1, expected an integer from 0"},
      {"run --checkpoint x --seed=-1 Hi", "--seed: got -1, expected an integer from 0"},
      {"run --checkpoint x --seed 18446744073709551616 Hi", "--seed: got 18446744073709551616"},
      {"run --checkpoint x --seed 010 Hi", "--seed: got 010"},
      {"run --checkpoint x --max-tokens -1 Hi", "--max-tokens: "},
      {"run --checkpoint x --draft-steps -1 Hi", "--draft-steps: "},
      {"run --checkpoint x --budget -70 Hi", "--budget: "},
      {"run --checkpoint x --frames -1 Hi", "--frames: "},
      {"run --checkpoint x --frames 2 --fps 1 Hi", "--frames excludes --fps"},
      {"run --checkpoint x --fps 0 Hi", "--fps: "},
      {"run --checkpoint x --messages - Hi", "prompt excludes --messages"},
      {"inspect x --frames -1", "--frames: "},
      {"inspect x --budget -1", "--budget: "},
      {"dump --checkpoint x --case x --out x --prefill -1", "--prefill: "},
      {"--threads -1 taps", "--threads: "},
      {"verify --tokens 0 --checkpoint " + kCheckpoint, "--tokens: Value 0 not in range"},
      {"verify --golden /nowhere.h5", "/nowhere.h5: got no such file or folder"},
      {"verify --checkpoint /nowhere", "nowhere"},
      {"verify --checkpoint " + kCheckpoint + "-drafter", "got a drafter, expected the target"},
      {"compare " + kCase + " /nowhere.h5", "nowhere.h5"},
      {"inspect /nowhere", "nowhere"},
      {"explain R-999", "explain: got 'R-999', expected a tap"},
      {"explain text-long", "checkpoints have, expected one as in"},
      {"taps nothing", "taps: got 'nothing', expected a pattern that some tap matches"},
      {"synth 7b /nowhere", "7b"},
      {"synth e2b /nowhere --dtype int8", "--dtype: got 'int8', expected bf16, f16 or f32"},
      {"convert /nowhere x.gguf --type q3_k",
       "--type: got 'q3_k', expected f32, f16, bf16, q8_0 or q4_0"},
      {"synth e2b /nowhere --layer-types SSX", "--layer-types: got 'SSX'"},
  };
  for (const BadLine& line : lines) {
    const Outcome outcome = run(line.arguments);
    EXPECT_EQ(outcome.status, 2) << line.arguments << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("assay: "), HasSubstr(line.expected)));
    EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << outcome.text;
  }
}

// What a config says beyond the model is told once a run, and changes nothing.
TEST(CommandLine, NotesOfACheckpointAreALineEach) {
  const TestDirectory directory;
  LoadingForm form(kCheckpoint);
  form.config()["quantization_config"] = Json::Object{{"quant_method", "bitsandbytes"}};
  form.config()["text_config"]["query_pre_attn_scalar"] = 64;
  form.write(directory.path() / "noted");
  const std::string checkpoint = (directory.path() / "noted").string();
  for (const std::string& command :
       std::vector<std::string>{"inspect ", "verify --golden " + kCase + " --checkpoint "}) {
    const Outcome outcome = run(command + checkpoint);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    for (const std::string note : {"note: config.json: text_config.query_pre_attn_scalar: got 64, "
                                   "expected no such key",
                                   "note: config.json: quantization_config: got bitsandbytes, "
                                   "expected quantised tensors"}) {
      const std::size_t at = outcome.text.find(note);
      EXPECT_NE(at, std::string::npos) << outcome.text;
      EXPECT_EQ(outcome.text.find(note, at + 1), std::string::npos) << outcome.text;
    }
  }
}

TEST(CommandLine, VerifyPassesACommittedCase) {
  const TestDirectory directory;
  const auto report = directory.path() / "report";
  const Outcome outcome = run("verify --case e2b-tiny/text-short --report " + report.string());
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("2 pass, 0 fail"));
  EXPECT_THAT(contents(report / "report.json"), HasSubstr("\"format_version\": 1"));
  EXPECT_THAT(contents(report / "junit.xml"), HasSubstr("<testsuite"));
}

TEST(CommandLine, CompareNamesTheTapWhereAnErrorEntered) {
  const TestDirectory directory;
  const std::string honest = (directory.path() / "honest.h5").string();
  const Outcome dumped = run("dump --checkpoint " + kCheckpoint + " --case " + kCase + " --out " +
                             honest + " --taps 'text.layer.*.attn.mix'");
  ASSERT_EQ(dumped.status, 0) << dumped.text;
  const Outcome whole = run("compare " + kCase + " " + honest);
  EXPECT_EQ(whole.status, 1);
  EXPECT_THAT(whole.text, HasSubstr("the end of the case is not tested: text.logits: not in the "
                                    "dump; whoever claims less says so: --only"));
  const Outcome claimed = run("compare " + kCase + " " + honest + " --only '*.attn.mix'");
  EXPECT_EQ(claimed.status, 0) << claimed.text;
  EXPECT_THAT(claimed.text, HasSubstr("2 pass, 0 fail"));

  auto taps = conformance::read_dump(honest).taps;
  for (double& value : taps.find("text.layer.2.attn.mix")->values) {
    value *= 1.01;
  }
  const std::string wrong = (directory.path() / "wrong.h5").string();
  conformance::write_dump(wrong, taps, {});
  const Outcome outcome = run("compare " + kCase + " " + wrong);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text, HasSubstr("introduced  text.layer.2.attn.mix"));
}

TEST(CommandLine, TheRouterOfThePublishedPackageIsFound) {
  const Outcome outcome = run("compare " + kGolden + "cases/26b-tiny/text-long.h5 " + kGolden +
                              "findings/gemma-4.0.1-26b-router.safetensors");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text, HasSubstr("introduced  text.layer.{0-5}.moe.router_norm"));
}

TEST(CommandLine, DumpReplacesDumpsOnly) {
  const TestDirectory directory;
  const auto precious = directory.path() / "precious.txt";
  std::ofstream(precious) << "keep me";
  const std::string command = "dump --checkpoint " + kCheckpoint + " --case " + kCase + " --out ";
  const Outcome refused = run(command + precious.string());
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.text, HasSubstr("which exists and is no dump"));
  EXPECT_EQ(contents(precious), "keep me");
  EXPECT_EQ(run(command + kCase).status, 2);  // the golden itself
  const std::string dump = (directory.path() / "dump.h5").string();
  EXPECT_EQ(run(command + dump).status, 0);
  EXPECT_EQ(run(command + dump).status, 0);
}

TEST(CommandLine, ASyntheticCheckpointIsVerified) {
  const TestDirectory directory;
  const std::string made = (directory.path() / "e2b").string();
  const std::string widths =
      " --width 32 --layers 10 --heads 2 --head-dim 8 --global-head-dim 16 --ffn 24 --vocab 64"
      " --window 4 --per-layer-width 4";
  ASSERT_EQ(run("synth e2b " + made + widths).status, 0);
  EXPECT_EQ(run("synth e2b " + made + widths).status, 2);  // never over an existing one
  const Outcome outcome = run("verify --checkpoint " + made);
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("no golden: the truth is the reference's own fp64 build"));
  EXPECT_THAT(run("inspect " + made).text, HasSubstr("tensors"));
}

TEST(CommandLine, ASyntheticCheckpointHasEncodersOnDemand) {
  const TestDirectory directory;
  const std::string made = (directory.path() / "e2b").string();
  const std::string widths = " --width 32 --layers 1 --heads 2 --head-dim 8 --vocab 64";
  EXPECT_THAT(run("synth e2b " + made + widths + " --vision-layers 1").text,
              HasSubstr("--vision-layers requires --encoders"));
  const std::string encoders =
      " --encoders --vision-width 24 --vision-layers 1 --vision-heads 2 --vision-head-dim 12"
      " --vision-ffn 40 --vision-positions 48 --audio-width 0 --soft-tokens 140";
  ASSERT_EQ(run("synth e2b " + made + widths + encoders).status, 0);
  const Outcome outcome = run("inspect " + made);
  EXPECT_THAT(outcome.text, HasSubstr("vision encoder: width 24, 1 layer, 2 heads of 12, ffn 40"));
  EXPECT_THAT(outcome.text, HasSubstr("26040 parameters, and 768 from there to the text model"));
  EXPECT_THAT(outcome.text, HasSubstr("at most 140 soft tokens for an image"));
  EXPECT_THAT(outcome.text, Not(HasSubstr("audio encoder")));
}

TEST(CommandLine, ExplainsTapsRulesMistakesAndCases) {
  EXPECT_THAT(run("explain text.layer.0.attn.v_norm").text, HasSubstr("R-33"));
  EXPECT_THAT(run("explain R-33").text, HasSubstr("attn.v_norm"));
  EXPECT_THAT(run("explain M-79").text, HasSubstr("attn.v_norm"));
  EXPECT_THAT(run("explain e2b-tiny/text-short").text, HasSubstr("ids: 2 "));
}

TEST(CommandLine, ExplainsMedia) {
  const Outcome tap = run("explain media.0.vision.layer.0.attn.q_rope");
  EXPECT_EQ(tap.status, 0);
  EXPECT_THAT(tap.text, AllOf(HasSubstr("media.{k}.vision.layer.{i}.attn.q_rope"),
                              HasSubstr("RV-10"), HasSubstr("V20"), HasSubstr("V27")));
  EXPECT_THAT(run("explain RV-3").text, HasSubstr("vision.pos_embed"));
  EXPECT_THAT(run("explain V29").text, HasSubstr("vision.layer.{i}.attn.logits"));
  EXPECT_THAT(run("explain DIV-M04").text,
              AllOf(HasSubstr("13: JAX"), HasSubstr("audio.window_keys")));
  EXPECT_THAT(run("explain audio.window_keys").text,
              AllOf(HasSubstr("12: the reference profile"), HasSubstr("13: JAX, MLX, mistral.rs"),
                    HasSubstr("audio.layer.0.attn.logits"), HasSubstr("DIV-M04")));
  const Outcome taps = run("taps 'media.*.subsample.*'");
  EXPECT_EQ(taps.status, 0);
  EXPECT_THAT(taps.text,
              AllOf(HasSubstr("audio.subsample.{s}.conv"), testing::Not(HasSubstr("vision."))));
  EXPECT_EQ(run("taps 'image.*'").status, 0);
}

TEST(CommandLine, AModelInGgufIsACheckpoint) {
  const TestDirectory directory;
  GgufModel model;
  const std::string path = directory.write("model.gguf", model.file()).string();
  const Outcome shown = run("inspect " + path);
  EXPECT_EQ(shown.status, 0) << shown.text;
  EXPECT_THAT(shown.text, AllOf(HasSubstr("hidden_size 4, vocabulary 10"),
                                HasSubstr("F32  blk.1.ffn_up.weight  [6, 4]  model.gguf")));
  const Outcome judged = run("verify --precision f64 --tokens 5 --checkpoint " + path);
  EXPECT_EQ(judged.status, 0) << judged.text;
  EXPECT_THAT(judged.text, HasSubstr("1 pass"));

  // A file of encoders is named by --mmproj, and joins the model wherever that is named.
  GgufModel encoders;
  encoders.text("general.architecture", "clip");
  encoders.tensors = {{"v.odd", {{1}, {1}}}};
  const std::string clip = directory.write("encoders.gguf", encoders.file()).string();
  EXPECT_THAT(run("inspect " + clip).text, HasSubstr("the encoders of a model, for --mmproj"));
  EXPECT_THAT(run("verify --mmproj " + clip + " --checkpoint " + path).text,
              HasSubstr("encoders.gguf: v.odd: got a tensor that is not known"));

  // And its cases bear the model's name.
  encoders.tensors.clear();
  const std::string none = directory.write("none.gguf", encoders.file()).string();
  EXPECT_THAT(
      run("verify --precision f64 --tokens 5 --mmproj " + none + " --checkpoint " + path).text,
      AllOf(HasSubstr("model.gguf/own/text-5"), testing::Not(HasSubstr("none.gguf/"))));
}

}  // namespace
}  // namespace assay::program
