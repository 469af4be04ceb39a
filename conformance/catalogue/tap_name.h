// SPDX-License-Identifier: Apache-2.0
// The parts of a tap's name: segments between dots, of which some are numbers, or placeholders in a
// pattern. Knows no catalogue.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace assay::conformance {

// "12" or a placeholder such as "{i}", and nothing else; `value` is left alone by a placeholder.
bool is_index(std::string_view segment, std::optional<std::size_t>& value);

// The name without its numbers: text.layer.{}.attn.q_proj. Floors of one step are pooled by it.
std::string tap_kind(std::string_view name);
// The same of a pattern, whose placeholders are numbers, too.
std::string open_pattern(std::string_view pattern);

// "text.layer.3." of "text.layer.3.attn.probs"; "mtp.step.0.layer.1." likewise; else all up to
// and with the last number, or "".
std::string tap_prefix(std::string_view name);
// "attn.probs" of "text.layer.3.attn.probs".
std::string tap_leaf(std::string_view name);
// "text.layer.3.attn.probs" beside "text.layer.3.attn.scores" for "attn.probs".
std::string beside(std::string_view name, std::string_view leaf);

}  // namespace assay::conformance
