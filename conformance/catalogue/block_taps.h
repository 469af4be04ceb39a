// SPDX-License-Identifier: Apache-2.0
// Where blocks end: what the modes `isolated` and `forced` feed (conformance/compare/fed.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace assay::conformance {

// What later blocks read: a layer's output, and what goes into the first layer.
bool ends_block(std::string_view tap);
// The keys or values that attention of a text layer sees, its own or another's.
bool is_seen_by_attention(std::string_view tap);
// The tap beside them that a layer with keys of its own has.
std::string own_keys_beside(std::string_view tap);
// "text.layer.3.out".
std::string output_of_text_layer(std::size_t layer);

}  // namespace assay::conformance
