// SPDX-License-Identifier: Apache-2.0
#include "reference/family/synth/weight_generator.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <vector>

#include "reference/family/base/json_object.h"
#include "reference/family/testing/source_dir.h"

namespace assay {
namespace {

TEST(WeightGenerator, HashAndNumbersOfTheSpecification) {
  const std::uint64_t seed = generator_seed("model.norm.weight");
  EXPECT_EQ(seed, 0xD6D6E5AFD11604E4u);
  EXPECT_NEAR(generator_uniform(seed, 0), 0.04868784, 5e-9);
  EXPECT_NEAR(generator_uniform(seed, 1), 0.13782009, 5e-9);
  EXPECT_NEAR(generator_uniform(seed, 2), 0.40205695, 5e-9);
}

TEST(WeightGenerator, SameBitsAsThePythonGenerator) {
  const Json vectors =
      parse_json_file(source_dir() + "/golden/tables/weights.json", "weights.json", 1 << 20);
  ASSERT_GE(vectors.size(), 44u);
  for (const Json& vector : vectors) {
    const auto name = vector["name"].get<std::string>();
    const auto shape = vector["shape"].get<std::vector<std::size_t>>();
    const bool soft = name.starts_with("soft.");
    const WeightRange range = soft ? WeightRange{-1.7, 1.7} : weight_range(name, shape);
    std::vector<float> values(vector["bits"].size());
    generate_weights(name, range, vector["first"].get<std::size_t>(), values.size(), values.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto expected = std::stoul(vector["bits"][i].get<std::string>(), nullptr, 16);
      EXPECT_EQ(std::bit_cast<std::uint32_t>(values[i]), expected) << name << " " << i;
    }
  }
}

TEST(WeightGenerator, PiecesEqualTheWhole) {
  std::vector<float> whole(100);
  std::vector<float> pieces(100);
  generate_weights("model.x", {-1, 1}, 0, 100, whole.data());
  generate_weights("model.x", {-1, 1}, 0, 33, pieces.data());
  generate_weights("model.x", {-1, 1}, 33, 67, pieces.data() + 33);
  EXPECT_EQ(whole, pieces);
}

TEST(WeightGenerator, OrderingIsAPermutation) {
  EXPECT_EQ(generated_ordering(0, 40), 3);
  EXPECT_EQ(generated_ordering(1, 40), 10);
  EXPECT_EQ(generated_ordering(39, 40), (7 * 39 + 3) % 40);
  for (const std::size_t size : {1u, 40u, 49u, 210u}) {
    std::set<std::int64_t> seen;
    for (std::size_t j = 0; j < size; ++j) {
      seen.insert(generated_ordering(j, size));
    }
    EXPECT_EQ(seen.size(), size);
    EXPECT_LT(*seen.rbegin(), static_cast<std::int64_t>(size));
  }
}

}  // namespace
}  // namespace assay
