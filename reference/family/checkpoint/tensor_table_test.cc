// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/tensor_table.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <numeric>

#include "reference/family/config/load_config.h"
#include "reference/family/synth/synth_config.h"

namespace assay {
namespace {

std::size_t elements(const ExpectedTensor& tensor) {
  return std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::size_t{1},
                         std::multiplies<>());
}

// With a per-layer table that one is the largest tensor, and the table of embeddings the second;
// elsewhere the table of embeddings is the largest.
TEST(TensorTable, TheLargestTensors) {
  const std::map<std::string, std::size_t> embeddings = {{"e2b", 402'653'184},
                                                         {"e4b", 671'088'640},
                                                         {"12b", 1'006'632'960},
                                                         {"26b", 738'197'504},
                                                         {"31b", 1'409'286'144}};
  const std::map<std::string, std::size_t> per_layer = {{"e2b", 2'348'810'240},
                                                        {"e4b", 2'818'572'288}};
  for (const auto& [size, count] : embeddings) {
    std::multimap<std::size_t, std::string, std::greater<>> by_size;
    for (const ExpectedTensor& tensor :
         expected_tensors(parse_config(synthetic_config(size, {})))) {
      by_size.emplace(elements(tensor), tensor.name);
    }
    auto largest = by_size.begin();
    if (per_layer.contains(size)) {
      EXPECT_EQ(largest->first, per_layer.at(size)) << size;
      EXPECT_EQ(largest->second, "embed_tokens_per_layer.weight") << size;
      ++largest;
    }
    EXPECT_EQ(largest->first, count) << size;
    EXPECT_EQ(largest->second, "embed_tokens.weight") << size;
  }
}

}  // namespace
}  // namespace assay
