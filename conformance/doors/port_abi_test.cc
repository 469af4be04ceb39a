// SPDX-License-Identifier: Apache-2.0
// The reference, once as it is and once through the C ABI and back: the same bits everywhere. And a
// port that is C.
#include "conformance/doors/port_abi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "conformance/doors/port_values.h"
#include "conformance/records/golden.h"
#include "conformance/records/tap.h"
#include "reference/family/base/error.h"
#include "reference/family/testing/source_dir.h"

extern "C" const assay_port* c_port(std::uint32_t abi_version);

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kGolden = source_dir() + "/golden/";

// Everything a run shows, byte for byte; may put other values in.
class Recorder : public TapListener {
 public:
  struct Heard {
    std::string name;
    TensorDtype dtype;
    std::vector<std::size_t> shape;
    std::vector<std::byte> bytes;
    bool can_be_forced;
    bool operator==(const Heard&) const = default;
  };

  explicit Recorder(std::string halved = {}) : halved_(std::move(halved)) {}
  bool wants(const std::string& name) const override { return name != "text.layer.0.in"; }
  void on_tap(const TensorView& view) override {
    const auto* first = static_cast<const std::byte*>(view.data);
    heard.push_back({std::string(view.name),
                     view.dtype,
                     {view.shape.begin(), view.shape.end()},
                     {first, first + view.elements() * size_of(view.dtype)},
                     view.forced != nullptr});
    if (view.name == halved_) {
      Tap tap = to_tap(view);
      std::ranges::for_each(tap.values, [](double& value) { value /= 2; });
      write_forced(tap, view);
    }
  }

  std::vector<Heard> heard;

 private:
  std::string halved_;
};

// There and back again.
class Twice {
 public:
  Twice() : exported_(*find_implementation("reference")), entry_(entry_of_port(exported_.port())) {}
  const ImplementationEntry& once() const { return *find_implementation("reference"); }
  const ImplementationEntry& through() const { return entry_; }

 private:
  ExportedPort exported_;
  ImplementationEntry entry_;
};

struct Question {
  const char* checkpoint;
  const char* name;
  std::size_t chunk = 0;
  std::string halved = {};
};

std::vector<Recorder::Heard> heard_of(const ImplementationEntry& entry,
                                      const std::string& precision, const Question& question) {
  const std::string checkpoint = kGolden + "checkpoints/" + question.checkpoint;
  const auto golden =
      read_case(kGolden + "cases/" + question.checkpoint + "/" + question.name + ".h5");
  const auto implementation = entry.make(precision);
  const Status loaded =
      implementation->load(checkpoint, golden.input.draft ? checkpoint + "-drafter" : "");
  EXPECT_TRUE(loaded.ok()) << loaded.message;
  RunOptions options;
  options.prefill_chunk = question.chunk;
  options.profile = golden.profile;
  options.rounding.bf16_scales = question.chunk == 1;
  Recorder recorder(question.halved);
  const Status status = implementation->run(golden.input, options, recorder);
  EXPECT_TRUE(status.ok()) << status.message;
  return recorder.heard;
}

class ThroughTheAbi : public testing::TestWithParam<Question> {};

TEST_P(ThroughTheAbi, EveryTapIsTheSameBitForBit) {
  const Twice twice;
  for (const std::string precision : {"f32", "f64"}) {
    const auto once = heard_of(twice.once(), precision, GetParam());
    EXPECT_GT(once.size(), 0);
    EXPECT_TRUE(heard_of(twice.through(), precision, GetParam()) == once) << precision;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ThroughTheAbi,
    testing::Values(Question{"e2b-tiny", "text-short"}, Question{"e2b-tiny", "text-decode", 1},
                    Question{"26b-tiny", "text-short", 3},
                    Question{"e2b-tiny", "text-short", 0, "text.layer.1.attn.mix"},
                    Question{"e2b-tiny", "soft-short"}, Question{"e2b-tiny", "draft-hf"},
                    Question{"e2b-tiny", "draft-std"}, Question{"e2b-media-tiny", "interleaved"},
                    Question{"e2b-media-tiny", "pixels-wide-dot"},
                    Question{"e2b-media-tiny", "vision-full", 0, "media.0.vision.pool"},
                    Question{"e2b-media-tiny", "audio-full"},
                    Question{"e2b-media-tiny", "switch-hann"},
                    Question{"12b-media-tiny", "two-images", 3},
                    Question{"e2b-chat-tiny", "tokenizer"}, Question{"e2b-chat-tiny", "template"},
                    Question{"e2b-chat-tiny", "parser"}, Question{"e2b-chat-tiny", "stop"}));

TEST(PortAbi, SaysTheSameOfItself) {
  const Twice twice;
  EXPECT_EQ(twice.through().name, "reference");
  EXPECT_EQ(twice.through().precisions, twice.once().precisions);
  EXPECT_FALSE(twice.through().is_oracle);
  const auto can = twice.through().make("f64")->capabilities();
  EXPECT_EQ(can.name, "reference");
  EXPECT_EQ(can.precision, "f64");
  EXPECT_TRUE(can.forced_taps && can.chunked_prefill && can.drafting);
}

// The reference says nothing of its taps; here it declares that it never shows some.
TEST(PortAbi, WhatIsNeverShownCrosses) {
  class Fused : public Implementation {
   public:
    Capabilities capabilities() const override {
      Capabilities can;
      can.precision = "f32";
      can.shows = [](const std::string& tap) {
        return tap == "text.cursed" ? throw Error("nobody asks so") : !tap.ends_with("attn.probs");
      };
      return can;
    }
    Status load(const std::string&, const std::string&) override { return {}; }
    Status run(const CaseInput&, const RunOptions&, TapListener&) override { return {}; }
  };
  ImplementationEntry entry;
  entry.name = "fused";
  entry.precisions = {"f32"};
  entry.make = [](const std::string&) { return std::make_unique<Fused>(); };
  const ExportedPort exported(entry);
  const auto through = entry_of_port(exported.port()).make("f32");
  const auto can = through->capabilities();
  EXPECT_TRUE(can.never_shows("text.layer.0.attn.probs"));
  EXPECT_FALSE(can.never_shows("text.layer.0.attn.mix"));
  EXPECT_FALSE(can.never_shows("text.cursed"));  // nothing is thrown across
  const Twice twice;
  EXPECT_FALSE(twice.through().make("f32")->capabilities().never_shows("text.layer.0.attn.probs"));
}

// A port that was compiled before there was such a call, or has none, shows every tap.
TEST(PortAbi, APortThatDoesNotSayShowsEveryTap) {
  assay_port port = *c_port(ASSAY_PORT_ABI_VERSION);
  const auto declares = [&] {
    return static_cast<bool>(entry_of_port(port).make("f32")->capabilities().shows);
  };
  EXPECT_FALSE(declares());
  port.shows = [](assay_instance*, const char*) -> std::int32_t { return 0; };
  EXPECT_TRUE(declares());
  port.size = offsetof(assay_port, shows);  // what follows is not the table's
  EXPECT_FALSE(declares());
}

TEST(PortAbi, ErrorsCrossWithTheirLine) {
  const Twice twice;
  const auto once = twice.once().make("f32");
  const auto through = twice.through().make("f32");
  Recorder recorder;
  const auto same = [&](const Status& expected, const Status& got) {
    EXPECT_FALSE(expected.ok());
    EXPECT_EQ(got.code, expected.code);
    EXPECT_EQ(got.message, expected.message);
  };
  same(once->run({}, {}, recorder), through->run({}, {}, recorder));
  same(once->load("/nowhere", ""), through->load("/nowhere", ""));
  const std::string checkpoint = kGolden + "checkpoints/e2b-tiny";
  ASSERT_TRUE(once->load(checkpoint, "").ok() && through->load(checkpoint, "").ok());
  CaseInput input;
  input.ids = {2, 3};
  input.token_types = {0};
  same(once->run(input, {}, recorder), through->run(input, {}, recorder));
  input.token_types.clear();
  RunOptions options;
  options.profile = "audio.hann=square";
  same(once->run(input, options, recorder), through->run(input, options, recorder));
  input.media.resize(1);
  input.media[0].rgb = {{1, 2}, {3, 4, 5}};
  input.token_types = {1, 0};
  EXPECT_EQ(through->run(input, {}, recorder).code, StatusCode::kBadInput);
}

TEST(PortAbi, ASessionIsTheSame) {
  const Twice twice;
  const std::string checkpoint = kGolden + "checkpoints/e2b-chat-tiny";
  const SessionRequest request{checkpoint, checkpoint + "-drafter", 3, "REF"};
  const auto once = twice.once().make_session("f32", request);
  const auto through = twice.through().make_session("f32", request);
  const auto both =
      [&](const std::function<Status(Session&, std::vector<std::int32_t>&, Logits&)>& step) {
        std::vector<std::int32_t> ids[2];
        Logits logits[2];
        const Status a = step(*once, ids[0], logits[0]);
        const Status b = step(*through, ids[1], logits[1]);
        EXPECT_EQ(a.code, b.code);
        EXPECT_EQ(a.message, b.message);
        EXPECT_EQ(ids[0], ids[1]);
        EXPECT_EQ(logits[0].rows, logits[1].rows);
        EXPECT_TRUE(logits[0].values == logits[1].values);
        EXPECT_EQ(once->length(), through->length());
        return a.ok();
      };
  EXPECT_TRUE(both([](Session& s, auto& ids, Logits& row) {
    return s.begin({{2, 5, 9}, {}, {}}, ids, row);
  }));
  EXPECT_TRUE(both([](Session& s, auto& ids, Logits&) { return s.draft(7, 3, ids); }));
  EXPECT_TRUE(both([](Session& s, auto&, Logits& rows) { return s.extend({7, 8, 9}, rows); }));
  EXPECT_TRUE(both([](Session& s, auto&, Logits&) { return s.take_back(2); }));
  EXPECT_TRUE(both([](Session& s, auto&, Logits& rows) { return s.extend({3}, rows); }));
  EXPECT_FALSE(both([](Session& s, auto&, Logits&) { return s.take_back(9); }));
  EXPECT_THROW(twice.through().make_session("f32", {"/nowhere", "", 0, "REF"}), Error);
}

TEST(PortAbi, AStructOfAnotherVersionIsReadAsFarAsItGoes) {
  assay_draft old{};
  old.size = offsetof(assay_draft, steps);
  old.token = 7;
  old.steps = 5;  // beyond what its maker knew
  EXPECT_EQ(read_struct(&old, "draft").token, 7);
  EXPECT_EQ(read_struct(&old, "draft").steps, 0);
  struct Newer {
    assay_draft known;
    std::uint64_t more;
  } newer{{sizeof(Newer), 1, 0, 2}, 9};
  EXPECT_EQ(read_struct(&newer.known, "draft").steps, 2);
  assay_capabilities can{};
  can.size = offsetof(assay_capabilities, precision);
  can.drafting = 5;
  write_struct({sizeof(assay_capabilities), "x", "y", 1, 1, 1}, &can, "capabilities");
  EXPECT_STREQ(can.name, "x");
  EXPECT_EQ(can.precision, nullptr);
  EXPECT_EQ(can.drafting, 5);
  EXPECT_THROW(read_struct(static_cast<assay_draft*>(nullptr), "draft"), Error);
  old.size = 0;
  EXPECT_THROW(read_struct(&old, "draft"), Error);
}

std::string refusal(const assay_port& port) {
  try {
    entry_of_port(port);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(PortAbi, RefusesAnotherVersionAndAnIncompleteTable) {
  const Twice twice;
  const ExportedPort exported(twice.once());
  assay_port port = exported.port();
  port.abi_version = 2;
  EXPECT_EQ(refusal(port), "port 'reference': got ABI version 2, expected 1");
  port = exported.port();
  port.run = nullptr;
  EXPECT_THAT(refusal(port), HasSubstr("port 'reference': got an incomplete table"));
  port = exported.port();
  port.size = offsetof(assay_port, open_session);  // made before there were sessions
  EXPECT_FALSE(entry_of_port(port).make_session);
  EXPECT_EQ(entry_of_port(port).make("f32")->capabilities().precision, "f32");
}

TEST(PortAbi, AnItemMadeBeforeThereWereFrameRatesHasNone) {
  assay_media media{};
  media.kind = ASSAY_VIDEO;
  media.frame_rate = 0.5;
  const assay_media* list[] = {&media};
  assay_case input{};
  input.size = sizeof(input);
  input.media = list;
  input.num_media = 1;
  media.size = sizeof(media);
  EXPECT_EQ(read_case_input(&input).media[0].frame_rate, 0.5);
  media.size = offsetof(assay_media, frame_rate);
  EXPECT_EQ(read_case_input(&input).media[0].frame_rate, 0);
}

TEST(PortAbi, AMalformedCaseIsRefused) {
  const auto refused = [](const std::function<void(assay_case&, assay_media&)>& change) {
    assay_media media{};
    media.size = sizeof(media);
    const assay_media* list[] = {&media};
    assay_case input{};
    input.size = sizeof(input);
    input.media = list;
    input.num_media = 1;
    change(input, media);
    try {
      read_case_input(&input);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refused([](auto&, auto&) {}), "");
  EXPECT_EQ(refused([](auto&, auto& media) { media.kind = 9; }),
            "media 0: got kind 9, expected image, frame, video or audio");
  EXPECT_EQ(refused([](auto& input, auto&) {
              input.ids = {nullptr, 3};
            }),
            "ids: got 3 ids without values, expected them");
  EXPECT_EQ(refused([](auto& input, auto&) { input.media = nullptr; }),
            "media: got 1 entries, expected a list of them");
  EXPECT_EQ(refused([](auto&, auto& media) { media.size = 1; }),
            "media 0: got a size of 1, expected a struct that begins with its size");
  const uint64_t huge[] = {std::uint64_t{1} << 50, 1};
  assay_tensor tensor{sizeof(assay_tensor), nullptr, ASSAY_F32, 2, huge, huge, nullptr};
  EXPECT_THAT(refused([&](auto&, auto& media) { media.rgb = &tensor; }),
              HasSubstr("media 0: rgb: got an axis of 1125899906842624"));
  tensor.rank = 99;
  EXPECT_THAT(refused([&](auto&, auto& media) { media.mel = &tensor; }), HasSubstr("99 axes"));
  const uint64_t one[] = {1};
  tensor = {sizeof(assay_tensor), nullptr, 77, 1, one, one, nullptr};
  EXPECT_THAT(refused([&](auto&, auto& media) { media.mel = &tensor; }),
              HasSubstr("media 0: mel: got dtype 77"));
  tensor = {sizeof(assay_tensor), nullptr, ASSAY_F64, 1, one, nullptr, nullptr};
  EXPECT_EQ(refused([&](auto&, auto& media) { media.samples = &tensor; }),
            "media 0: samples: got no data, expected 1 elements");
}

class CPort : public testing::Test {
 protected:
  CPort() { input_.ids = {3, 4, 5}; }

  Status run(const CaseInput& input) { return implementation_->run(input, {}, recorder_); }

  ImplementationEntry entry_ = entry_of_port(*c_port(ASSAY_PORT_ABI_VERSION));
  std::unique_ptr<Implementation> implementation_ = entry_.make("f32");
  CaseInput input_;
  Recorder recorder_{"text.embed"};
};

TEST_F(CPort, RunsAndGoesOnFromOtherValues) {
  ASSERT_TRUE(implementation_->load("here", "").ok());
  ASSERT_TRUE(run(input_).ok());
  ASSERT_EQ(recorder_.heard.size(), 2);
  const auto values = [&](std::size_t tap) {
    std::vector<float> result(3);
    std::memcpy(result.data(), recorder_.heard[tap].bytes.data(), 3 * sizeof(float));
    return result;
  };
  EXPECT_EQ(recorder_.heard[0].name, "text.embed");
  EXPECT_THAT(values(0), ElementsAre(6, 8, 10));
  EXPECT_THAT(values(1), ElementsAre(4, 5, 6));  // halved, plus one
}

TEST_F(CPort, ItsStatusesCross) {
  EXPECT_EQ(run(input_).code, StatusCode::kHarnessError);
  const Status status = implementation_->load("nowhere", "");
  EXPECT_EQ(status.code, StatusCode::kBadInput);
  EXPECT_EQ(status.message, "nowhere: got no folder, expected a checkpoint");
  ASSERT_TRUE(implementation_->load("here", "").ok());
  input_.media.resize(1);
  EXPECT_EQ(run(input_).code, StatusCode::kNotSupported);
  EXPECT_FALSE(entry_.make_session);
  EXPECT_EQ(c_port(ASSAY_PORT_ABI_VERSION + 1), nullptr);
}

// A port that shows what is no tap.
TEST_F(CPort, NonsenseEndsTheRunWithOneLine) {
  static assay_tensor nonsense{sizeof(assay_tensor), "text.x", 55, 0, nullptr, nullptr, nullptr};
  assay_port port = *c_port(ASSAY_PORT_ABI_VERSION);
  port.run = [](assay_instance*, const assay_case*, const assay_run_options*,
                const assay_listener* listener, assay_message*) -> std::int32_t {
    listener->on_tap(listener->context, &nonsense);
    return ASSAY_OK;
  };
  const auto wrong = entry_of_port(port).make("f32");
  const Status status = wrong->run(input_, {}, recorder_);
  EXPECT_EQ(status.code, StatusCode::kBadInput);
  EXPECT_EQ(status.message, "text.x: got dtype 55, expected f32, f64, i32 or u8");
}

}  // namespace
}  // namespace assay::conformance
