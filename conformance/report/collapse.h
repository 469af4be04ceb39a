// SPDX-License-Identifier: Apache-2.0
// The same tap of many layers as one name: text.layer.{0-5,9}.ffn.act.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace assay::conformance {

struct TapGroup {
  std::string label;
  std::vector<std::string> taps;
};

// In the order of each group's first tap. Names that are no tap stand alone.
std::vector<TapGroup> collapse_layers(const std::vector<std::string>& taps);

// The same of names of any kind, by their first number: model.layers.{0-6}.out.
std::vector<TapGroup> collapse_names(const std::vector<std::string>& names);

// "0-5,9" for sorted numbers without repetition.
std::string number_ranges(const std::vector<std::size_t>& numbers);

}  // namespace assay::conformance
