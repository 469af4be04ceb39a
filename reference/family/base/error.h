// SPDX-License-Identifier: Apache-2.0
// The one error of bad input: a file, a shape, an id, a config that cannot be used.
//
// A message names the place, the thing, what was got and what was expected; it starts in lower
// case and ends without a full stop: "model.safetensors: model.norm.weight: shape [8], expected
// [16]".
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace assay {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// "[2, 3]"
std::string shape_string(std::span<const std::size_t> shape);

// Text of an untrusted file, fit for a message: control bytes become '?', long text is cut.
std::string printable(std::string_view text);

}  // namespace assay
