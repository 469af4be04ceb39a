// SPDX-License-Identifier: Apache-2.0
// One violation or more of each property, planted in the float reference: each must fail there, and
// the reference itself must not.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "conformance/doors/registry.h"
#include "conformance/properties/property.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::conformance {
namespace {

namespace fs = std::filesystem;

// What is wrong: the question that it hears, the values that it goes on from, or its config.
struct Mistake {
  std::function<void(CaseInput&, RunOptions&)> hears = {};
  std::function<void(Tap&, const CaseInput&, const RunOptions&)> computes = {};
  std::string config_line = {};  // a regular expression
  std::string config_value = {};
  std::string left_out = "none";
};

class Wrong : public Implementation {
 public:
  explicit Wrong(Mistake mistake)
      : inner_(oracle_entry().make("f32")), mistake_(std::move(mistake)) {}

  Capabilities capabilities() const override { return inner_->capabilities(); }
  Status load(const std::string& checkpoint, const std::string& drafter) override {
    if (mistake_.config_line.empty()) {
      return inner_->load(checkpoint, drafter);
    }
    copy_.reset();  // it would take the new one of the same name with it
    copy_ = std::make_unique<TestDirectory>();
    for (const auto& entry : fs::directory_iterator(checkpoint)) {
      fs::copy_file(entry.path(), copy_->path() / entry.path().filename());
    }
    std::ifstream file(checkpoint + "/config.json");
    std::ostringstream text;
    text << file.rdbuf();
    std::ofstream(copy_->path() / "config.json")
        << std::regex_replace(text.str(), std::regex(mistake_.config_line), mistake_.config_value);
    return inner_->load(copy_->path().string(), drafter);
  }
  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override {
    CaseInput heard = input;
    RunOptions how = options;
    if (mistake_.hears) {
      mistake_.hears(heard, how);
    }
    Changer changer(taps, mistake_, input, options);
    return inner_->run(heard, how, changer);
  }

 private:
  class Changer : public TapListener {
   public:
    Changer(TapListener& suite, const Mistake& mistake, const CaseInput& input,
            const RunOptions& options)
        : suite_(suite), mistake_(mistake), input_(input), options_(options) {}
    bool wants(const std::string& name) const override {
      return !name.ends_with(mistake_.left_out) && suite_.wants(name);
    }
    void on_tap(const TensorView& view) override {
      Tap tap = to_tap(view);
      if (mistake_.computes) {
        mistake_.computes(tap, input_, options_);
        write_forced(tap, view);
      }
      hand_over(suite_, tap);
    }

   private:
    TapListener& suite_;
    const Mistake& mistake_;
    const CaseInput& input_;
    const RunOptions& options_;
  };

  std::unique_ptr<Implementation> inner_;
  std::unique_ptr<TestDirectory> copy_;
  Mistake mistake_;
};

void scale(Tap& tap, const std::string& name, double factor) {
  if (tap.name == name) {
    std::ranges::for_each(tap.values, [factor](double& value) { value *= factor; });
  }
}

Mistake in_values(const std::function<void(Tap&)>& change) {
  return {.computes = [change](Tap& tap, const CaseInput&, const RunOptions&) { change(tap); }};
}

Mistake forgets_padding() {
  return {.hears = [](CaseInput& input, RunOptions&) { input.valid.clear(); }};
}

Mistake unsteady() {
  return {.computes = [runs = 0.0](Tap& tap, const CaseInput&, const RunOptions&) mutable {
    if (tap.name == "text.layer.1.out") {
      runs += 1;
      tap.values.back() += 1e-7 * runs;
    }
  }};
}

struct Violation {
  std::string property;
  std::string checkpoint;
  std::string what;
  Mistake mistake;
};

std::vector<Violation> of_chunking() {
  return {
      {"I-1 any chunking",
       "e2b-tiny",
       "the first token is lost in chunks",
       {.hears =
            [](CaseInput& input, RunOptions& options) {
              input.ids[0] = options.prefill_chunk > 0 ? 45 : input.ids[0];
            }}},
      {"I-1 any chunking",
       "31b-tiny",
       "another factor in chunks, 1e-5 off",
       {.computes =
            [](Tap& tap, const CaseInput&, const RunOptions& options) {
              scale(tap, "text.layer.3.attn.mix", options.prefill_chunk > 0 ? 1 + 1e-5 : 1);
            }}},
      {"I-1 another token is seen",
       "e2b-tiny",
       "the first token is not read",
       {.hears = [](CaseInput& input, RunOptions&) { input.ids[0] = 2; }}},
  };
}

std::vector<Violation> of_dependence() {
  return {
      {"I-2 the future is unseen",
       "e2b-tiny",
       "a trace of the last token in the first row",
       {.computes =
            [](Tap& tap, const CaseInput& input, const RunOptions&) {
              if (tap.name == "text.layer.0.attn.mix") {
                tap.values[0] += 1e-5 * input.ids.back();
              }
            }}},
      {"I-2 the future is unseen",
       "26b-tiny",
       "a trace of the last token, with experts",
       {.computes =
            [](Tap& tap, const CaseInput& input, const RunOptions&) {
              if (tap.name == "text.layer.0.attn.mix") {
                tap.values[0] += 1e-3 * input.ids.back();
              }
            }}},
      {"I-2 blocks see themselves only",
       "e2b-tiny",
       "a trace of the next image in this one",
       {.computes =
            [](Tap& tap, const CaseInput& input, const RunOptions&) {
              if (tap.name == "text.layer.0.attn.mix" && input.media.size() > 1) {
                tap.values[0] += 1e-5 * input.media[1].values[0];
              }
            }}},
      {"I-2 blocks see themselves only",
       "31b-tiny",
       "images are causal",
       {.config_line = "\"use_bidirectional_attention\": \"vision\"",
        .config_value = "\"use_bidirectional_attention\": null"}},
      {"I-3 reach of the window",
       "e2b-tiny",
       "a window one token longer",
       {.config_line = "\"sliding_window\": (\\d+)", .config_value = "\"sliding_window\": 1$1"}},
      {"I-3 reach of the window",
       "31b-tiny",
       "a window too short",
       {.config_line = "\"sliding_window\": \\d+", .config_value = "\"sliding_window\": 3"}},
  };
}

std::vector<Violation> of_positions_and_weights() {
  return {
      {"I-4 left padding", "e2b-tiny", "padding is attended", forgets_padding()},
      {"I-4 left padding",
       "31b-tiny",
       "padded rows are 1e-5 larger",
       {.computes =
            [](Tap& tap, const CaseInput& input, const RunOptions&) {
              scale(tap, "text.layer.2.attn.mix", input.valid.empty() ? 1 : 1 + 1e-5);
            }}},
      {"I-4 padding ids are unseen", "e2b-tiny", "padding is attended", forgets_padding()},
      {"I-4 padding ids are unseen", "26b-tiny", "padding is attended", forgets_padding()},
      {"I-5 shift of all positions",
       "e2b-tiny",
       "positions end at 1000",
       {.hears =
            [](CaseInput& input, RunOptions&) {
              for (std::int32_t& position : input.positions) {
                position = std::min(position, 1000);
              }
            }}},
      {"I-5 shift of all positions", "31b-tiny", "angles of fp16", in_values([](Tap& tap) {
         if (tap.name.find("text.rope.") != std::string::npos) {
           for (double& value : tap.values) {
             value = round_to_class(value, *find_precision("f16"));
           }
         }
       })},
      {"I-6 norms take out factors", "e2b-tiny", "a clamp before a norm", in_values([](Tap& tap) {
         if (tap.name.ends_with(".attn.o_proj")) {
           std::ranges::for_each(tap.values, [](double& x) { x = std::clamp(x, -2.0, 2.0); });
         }
       })},
      {"I-6 eps shows a little",
       "e2b-tiny",
       "eps is left out",
       {.config_line = "\"rms_norm_eps\": [^,\n]*", .config_value = "\"rms_norm_eps\": 1e-30"}},
      {"I-6 eps shows a little",
       "31b-tiny",
       "eps of 1e-5",
       {.config_line = "\"rms_norm_eps\": [^,\n]*", .config_value = "\"rms_norm_eps\": 1e-5"}},
      {"I-7 experts under other numbers", "26b-tiny", "expert 0 is liked 1e-4 more",
       in_values([](Tap& tap) {
         if (tap.name.ends_with(".moe.router_logits")) {
           const std::size_t experts = tap.shape.back();
           for (std::size_t i = 0; i < tap.values.size(); i += experts) {
             tap.values[i] += 1e-4;
           }
         }
       })},
  };
}

std::vector<Violation> of_values() {
  return {
      {"I-8 values have unit size", "e2b-tiny", "values are 1e-5 too large",
       in_values([](Tap& tap) { scale(tap, "text.layer.1.attn.v_norm", 1 + 1e-5); })},
      {"I-8 values are raw keys", "31b-tiny", "keys are 1e-6 too large", in_values([](Tap& tap) {
         if (tap.name.ends_with(".attn.k_norm")) {
           scale(tap, tap.name, 1 + 2e-6);
         }
       })},
      {"I-9 the cap keeps the choice", "e2b-tiny", "a logit beyond the cap",
       in_values([](Tap& tap) {
         if (tap.name == "text.logits") {
           tap.values[0] = 31;
         }
       })},
      {"I-9 the cap keeps the choice", "31b-tiny", "the cap changes the order",
       in_values([](Tap& tap) {
         if (tap.name == "text.logits") {
           std::ranges::for_each(tap.values, [](double& value) { value = -value; });
         }
       })},
      {"I-10 channels pass through", "e2b-tiny", "the last channel is turned, too",
       in_values([](Tap& tap) {
         if (tap.name.ends_with(".attn.q_rope")) {
           tap.values.back() *= 1.001;
         }
       })},
      {"runs repeat", "e2b-tiny", "a sum in another order each time", unsteady()},
      {"every tap of the catalogue: text", "e2b-tiny", "no logits", {.left_out = "text.logits"}},
      {"every tap of the catalogue: media",
       "e2b-media-tiny",
       "no output of the encoder",
       {.left_out = "vision.tower_out"}},
  };
}

const std::vector<Violation>& violations() {
  static const std::vector<Violation> all = [] {
    std::vector<Violation> joined;
    for (const auto& part :
         {of_chunking(), of_dependence(), of_positions_and_weights(), of_values()}) {
      joined.insert(joined.end(), part.begin(), part.end());
    }
    return joined;
  }();
  return all;
}

PropertyResult tried(const Violation& violation, const Mistake& mistake) {
  static const auto yardstick = std::make_shared<Yardstick>(
      oracle_entry().make("f64"), oracle_entry().make("f32"), *find_precision("f32"), "REF");
  Wrong wrong(mistake);
  Subject subject =
      make_subject(wrong, source_dir() + "/golden/checkpoints/" + violation.checkpoint, yardstick);
  const auto property = std::ranges::find(properties(), violation.property, title_of);
  EXPECT_NE(property, properties().end()) << violation.property;
  return run_property(*property, subject);
}

class Violations : public testing::TestWithParam<Violation> {};

// Of the reference as it is; the same for all violations of a property on a checkpoint.
const PropertyResult& of_right(const Violation& violation) {
  static std::map<std::pair<std::string, std::string>, PropertyResult> known;
  const auto [at, is_new] = known.try_emplace({violation.property, violation.checkpoint});
  if (is_new) {
    at->second = tried(violation, {});
  }
  return at->second;
}

TEST_P(Violations, Fail) {
  const PropertyResult& right = of_right(GetParam());
  EXPECT_EQ(right.verdict, Verdict::kPass) << right.message;
  const auto wrong = tried(GetParam(), GetParam().mistake);
  EXPECT_EQ(wrong.verdict, Verdict::kFail) << wrong.checks << " checks, " << wrong.message;
}

INSTANTIATE_TEST_SUITE_P(Planted, Violations, testing::ValuesIn(violations()),
                         [](const auto& test) {
                           std::string name = test.param.property + "_" + test.param.checkpoint +
                                              "_" + test.param.what;
                           std::ranges::replace_if(
                               name, [](char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

TEST(Violations, AreOfEveryProperty) {
  std::set<std::string> planted;
  for (const Violation& violation : violations()) {
    planted.insert(violation.property);
  }
  for (const Property& property : properties()) {
    EXPECT_TRUE(planted.contains(title_of(property))) << title_of(property);
  }
}

}  // namespace
}  // namespace assay::conformance
