// SPDX-License-Identifier: Apache-2.0
// golden/tables/primitives.json: the numbers of spec text, Appendix A, as printed.
#include "reference/family/base/json_object.h"
#include "reference/family/testing/source_dir.h"
#include "reference/ops/attention_mask.h"
#include "reference/ops/gelu.h"
#include "reference/ops/rms_norm.h"
#include "reference/ops/rope.h"
#include "reference/ops/softcap.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Json printed(const char* table) {
  const std::string path = source_dir() + "/golden/tables/primitives.json";
  return parse_json_file(path, "primitives.json", 1 << 20).at(table);
}

// Half a unit of the last digit printed; fp32 has its own rounding on top.
double bound_at(double value) {
  return std::max(1e-8 * std::abs(value), 5.1e-10) + bound_of(4e-7 * (1 + std::abs(value)), 0);
}

TEST(PrintedValues, RmsNorm) {
  for (const Json& sample : printed("rms_norm")) {
    const auto x = sample.at("x").get<std::vector<double>>();
    const auto expected = sample.at("y").get<std::vector<double>>();
    const auto rows = tensor_of<R, D>({1, x.size()}, x);
    const auto eps = sample.at("eps").get<double>();
    const auto y =
        sample.at("weight").is_null()
            ? rms_norm_unscaled(rows, eps)
            : rms_norm(rows, tensor_of<D>({x.size()}, sample["weight"].get<std::vector<double>>()),
                       eps);
    for (std::size_t d = 0; d < x.size(); ++d) {
      EXPECT_NEAR(static_cast<double>(y(0, d)), expected[d], 5.1e-9 + bound_at(expected[d]));
    }
  }
}

TEST(PrintedValues, Gelu) {
  for (const Json& sample : printed("gelu_tanh")) {
    const auto x = tensor_of<R, F>({1, 1}, {sample.at("x").get<double>()});
    const auto expected = sample.at("y").get<double>();
    EXPECT_NEAR(static_cast<double>(gelu(x)(0, 0)), expected, bound_at(expected)) << sample;
  }
}

TEST(PrintedValues, Softcap) {
  for (const Json& sample : printed("softcap_30")) {
    const auto x = tensor_of<R, V>({1, 1}, {sample.at("x").get<double>()});
    const auto expected = sample.at("y").get<double>();
    EXPECT_NEAR(static_cast<double>(softcap(x, 30)(0, 0)), expected, bound_at(expected)) << sample;
  }
}

TEST(PrintedValues, Rope) {
  for (const Json& sample : printed("rope")) {
    const RopeParameters parameters{sample.at("rope_theta").get<double>(),
                                    sample.at("partial_rotary_factor").get<double>()};
    const auto table = rope_table({sample.at("position").get<std::int32_t>()},
                                  sample.at("head_dim").get<std::size_t>(), parameters);
    const auto pair = sample.at("pair").get<std::size_t>();
    const auto cosine = sample.at("cos").get<double>();
    const auto sine = sample.at("sin").get<double>();
    EXPECT_NEAR(static_cast<double>(table.cos(0, pair)), cosine, bound_at(cosine)) << sample;
    EXPECT_NEAR(static_cast<double>(table.sin(0, pair)), sine, bound_at(sine)) << sample;
    if (sample.at("kind") == "full") {
      for (std::size_t c = 64; c < 256; ++c) {
        ASSERT_EQ(table.cos(0, c), 1);
        ASSERT_EQ(table.sin(0, c), 0);
      }
    }
  }
}

std::vector<TokenPlace> ten_tokens(const Json& block) {
  std::vector<TokenPlace> places;
  for (std::int32_t t = 0; t < 10; ++t) {
    const bool inside =
        !block.is_null() && t >= block[0].get<std::int32_t>() && t <= block[1].get<std::int32_t>();
    places.push_back({static_cast<std::size_t>(t), t, true, inside ? 0 : -1});
  }
  return places;
}

// `range`: the first and the last visible key.
std::vector<double> visible_row(const Json& range) {
  std::vector<double> row(10, 0.0);
  for (auto s = range[0].get<std::size_t>(); s <= range[1].get<std::size_t>(); ++s) {
    row[s] = 1;
  }
  return row;
}

TEST(PrintedValues, SlidingMask) {
  for (const Json& sample : printed("sliding_mask")) {
    const auto places = ten_tokens(sample.at("vision_block"));
    const auto mask = sliding_mask(places, places, sample.at("window").get<std::size_t>());
    for (std::size_t q = 0; q < 10; ++q) {
      const auto ours = row(mask, q, 10);
      EXPECT_EQ(std::vector<double>(ours.begin(), ours.end()),
                visible_row(sample.at("visible").at(q)))
          << "row " << q;
    }
  }
}

// Rows as they look in programs that clamp on the left only, or clamp before the block's OR.
TEST(PrintedValues, RejectedSlidingMasks) {
  const auto places = ten_tokens(printed("sliding_mask").at(1).at("vision_block"));
  const auto mask = sliding_mask(places, places, 4);
  for (const Json& rejected : printed("rejected_sliding_mask")) {
    for (const auto& [q, visible] : rejected.at("rows").object()) {
      const auto ours = row(mask, std::stoul(q), 10);
      EXPECT_NE(std::vector<double>(ours.begin(), ours.end()), visible_row(visible))
          << rejected.at("mistake") << ", row " << q;
    }
  }
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
