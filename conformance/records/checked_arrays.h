// SPDX-License-Identifier: Apache-2.0
// Arrays of an untrusted file that must hold integers, or finite ones, of a known shape.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "conformance/records/hdf5_file.h"

namespace assay::conformance {

struct IntegerBounds {
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int32_t>::max();
};

// A shape with 0 for an axis of any length but none: {0, 3} is [n, 3]. `text` says it in messages.
struct WantedShape {
  std::vector<std::size_t> extents;
  std::string text;
};

// Throw Hdf5File::fail on anything else; an empty array is something else.
Hdf5Array read_whole_numbers(Hdf5File& file, const std::string& path, const WantedShape& shape,
                             IntegerBounds bounds);
Hdf5Array read_finite_numbers(Hdf5File& file, const std::string& path, const WantedShape& shape);

// An attribute; throws when it is there and is no integer within the bounds. 0 when it is absent.
std::int64_t read_count(const Hdf5File& file, const std::string& path, const std::string& attribute,
                        IntegerBounds bounds);

}  // namespace assay::conformance
