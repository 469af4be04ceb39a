// SPDX-License-Identifier: Apache-2.0
// For tests: the vision encoder of spec multimodal 3 once more, on the miniature of A.2.
//
// In doubles, with loops of its own, on weights taken by their names in the file, and with padding
// kept and masked where ours drops it. It can be told to make one mistake of spec multimodal 10.2.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay {

struct SecondTap {
  std::string name;
  std::vector<double> values;  // padding left out
};

constexpr std::size_t kSecondColumns = 9;
constexpr std::size_t kSecondRows = 6;
constexpr std::size_t kSecondPadding = 9;

// The taps of vision.* in execution order, but for rope.angles. `mistake` is a label of the
// catalogue, "V20", with a letter after it where a label has several forms; "": none.
std::vector<SecondTap> second_vision(std::string_view mistake);

}  // namespace assay
