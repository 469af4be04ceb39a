// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/reference_adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <stdexcept>

#include "conformance/records/tap.h"
#include "conformance/testing/keeping_listener.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

using testing::HasSubstr;

const std::string kGolden = source_dir() + "/golden/checkpoints/";

std::unique_ptr<Implementation> make_reference() {
#ifdef ASSAY_FP64
  return make_reference_f64();
#else
  return make_reference_f32();
#endif
}

std::unique_ptr<Implementation> loaded(const std::string& name) {
  auto reference = make_reference();
  const Status status = reference->load(kGolden + name, kGolden + name + "-drafter");
  EXPECT_TRUE(status.ok()) << status.message;
  return reference;
}

using Listener = KeepingListener;
using Change = Listener::Change;

CaseInput text(std::vector<std::int32_t> ids) {
  CaseInput input;
  input.ids = std::move(ids);
  return input;
}

Status run(Implementation& reference, const CaseInput& input) {
  Listener listener;
  return reference.run(input, {}, listener);
}

TEST(ReferenceAdapter, SaysWhatItCan) {
  const Capabilities can = make_reference()->capabilities();
  EXPECT_EQ(can.name, "reference");
#ifdef ASSAY_FP64
  EXPECT_EQ(can.precision, "f64");
#else
  EXPECT_EQ(can.precision, "f32");
#endif
  EXPECT_TRUE(can.forced_taps && can.chunked_prefill && can.drafting);
}

TEST(ReferenceAdapter, NeedsACheckpoint) {
  auto reference = make_reference();
  EXPECT_EQ(run(*reference, text({2})).code, StatusCode::kHarnessError);
  EXPECT_EQ(reference->load(kGolden + "none", "").code, StatusCode::kBadInput);
  EXPECT_EQ(reference->load(kGolden + "e2b-tiny-drafter", "").code, StatusCode::kBadInput);
  EXPECT_EQ(reference->load(kGolden + "e2b-tiny", kGolden + "none").code, StatusCode::kBadInput);
}

// What could not be loaded cannot be run, and what was loaded before is gone.
TEST(ReferenceAdapter, RunsNothingAfterAFailedLoad) {
  for (const std::string bad : {"none", "e2b-tiny-drafter"}) {
    auto reference = loaded("e2b-tiny");
    EXPECT_FALSE(reference->load(kGolden + bad, "").ok());
    EXPECT_EQ(run(*reference, text({2})).code, StatusCode::kHarnessError) << bad;
  }
}

TEST(ReferenceAdapter, BadInputIsAStatus) {
  auto reference = loaded("12b-tiny");
  EXPECT_EQ(run(*reference, text({})).code, StatusCode::kBadInput);
  EXPECT_EQ(run(*reference, text({2, 1 << 20})).code, StatusCode::kBadInput);
  EXPECT_THAT(run(*reference, text({2, -7})).message, HasSubstr("got -7"));
  EXPECT_TRUE(run(*reference, text({2, 3})).ok());
}

TEST(ReferenceAdapter, AListenersFaultIsAStatus) {
  auto reference = loaded("12b-tiny");
  Listener throws([](Tap&) { throw std::runtime_error("listener"); });
  EXPECT_EQ(reference->run(text({2}), {}, throws).code, StatusCode::kHarnessError);
  Listener shrinks([](Tap& tap) { tap.values.clear(); });
  EXPECT_EQ(reference->run(text({2}), {}, shrinks).code, StatusCode::kBadInput);
}

// Nothing crosses the interface, whatever its type.
TEST(ReferenceAdapter, AFaultOfAnyTypeIsAStatus) {
  auto reference = loaded("12b-tiny");
  Listener odd([](Tap&) { throw 5; });
  EXPECT_EQ(reference->run(text({2}), {}, odd).code, StatusCode::kHarnessError);
}

TEST(ReferenceAdapter, DraftsOnlyWithADrafter) {
  auto reference = make_reference();
  EXPECT_TRUE(reference->load(kGolden + "e2b-tiny", "").ok());
  CaseInput input = text({2, 17, 5});
  input.draft = DraftRequest{3, 2, false};
  EXPECT_EQ(run(*reference, input).code, StatusCode::kBadInput);
  EXPECT_TRUE(reference->load(kGolden + "e2b-tiny", kGolden + "26b-tiny-drafter").ok());
  EXPECT_EQ(run(*reference, input).code, StatusCode::kBadInput);
  EXPECT_TRUE(run(*loaded("e2b-tiny"), input).ok());
}

TEST(ReferenceAdapter, DraftsTheSameAfterAnyChunks) {
  auto reference = loaded("31b-tiny");
  CaseInput input = text({2, 17, 5, 9, 31, 12, 7, 22, 38, 14, 3, 25});
  for (const bool standard : {false, true}) {
    input.draft = DraftRequest{3, 3, standard};
    Listener whole;
    EXPECT_TRUE(reference->run(input, {}, whole).ok());
    for (const std::size_t chunk : {1u, 5u}) {
      Listener pieces;
      RunOptions options;
      options.prefill_chunk = chunk;
      EXPECT_TRUE(reference->run(input, options, pieces).ok());
      EXPECT_EQ(pieces.taps.at("mtp.step.2.token").values,
                whole.taps.at("mtp.step.2.token").values);
    }
  }
}

// Values that a listener leaves as they are change nothing; each tap in between is used.
TEST(ReferenceAdapter, GoesOnFromForcedTaps) {
  auto reference = loaded("26b-tiny");
  const CaseInput input = text({2, 17, 5, 9, 31});
  Listener plain;
  ASSERT_TRUE(reference->run(input, {}, plain).ok());
  for (const std::string& name : plain.order) {
    const Tap& recorded = plain.taps.at(name);
    const bool last = name == "text.logits" || name == "text.ids" || name == "text.positions" ||
                      name.ends_with(".kv_source") || name.find(".cache.") != std::string::npos;
    if (last || recorded.integer) {
      continue;
    }
    Listener forcing([&name](Tap& tap) {
      if (tap.name == name) {
        for (double& value : tap.values) {
          value = -value + 0.25;
        }
      }
    });
    ASSERT_TRUE(reference->run(input, {}, forcing).ok());
    EXPECT_NE(forcing.taps.at("text.logits").values, plain.taps.at("text.logits").values) << name;
  }
}

TEST(ReferenceAdapter, TapsComeOnceAndInOrder) {
  auto reference = loaded("e2b-tiny");
  for (const std::size_t chunk : {0u, 2u}) {
    Listener listener;
    RunOptions options;
    options.prefill_chunk = chunk;
    ASSERT_TRUE(reference->run(text({2, 17, 5, 9, 31}), options, listener).ok());
    EXPECT_EQ(listener.order.size(), listener.taps.size());
    EXPECT_EQ(listener.order.front(), "text.ids");
    EXPECT_EQ(listener.order.back(), "text.logits");
  }
}

// The rounding of other programs changes something, so it reaches the model.
TEST(ReferenceAdapter, RoundingReachesTheModel) {
  auto reference = loaded("26b-tiny");
  CaseInput input = text({2, 17, 5});
  input.positions = {4000, 4001, 4002};
  Listener plain;
  ASSERT_TRUE(reference->run(input, {}, plain).ok());
  for (const int option : {0, 1, 2}) {
    RunOptions options;
    options.rounding = {option == 0, option == 1, option == 2};
    Listener listener;
    ASSERT_TRUE(reference->run(input, options, listener).ok());
    EXPECT_NE(listener.taps.at("text.logits").values, plain.taps.at("text.logits").values)
        << option;
  }
}

}  // namespace
}  // namespace assay::conformance
