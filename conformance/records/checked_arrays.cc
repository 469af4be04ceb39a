// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/checked_arrays.h"

#include <algorithm>
#include <cmath>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

bool has_shape(const std::vector<std::size_t>& shape, const WantedShape& wanted) {
  return std::ranges::equal(shape, wanted.extents, [](std::size_t got, std::size_t want) {
    return want == 0 ? got > 0 : got == want;
  });
}

void check_shape(const Hdf5File& file, const std::string& path, const Hdf5Array& array,
                 const WantedShape& wanted) {
  if (!has_shape(array.shape, wanted)) {
    file.fail(path, "shape " + shape_string(array.shape), wanted.text);
  }
}

std::string range_text(IntegerBounds bounds) {
  return std::to_string(bounds.least) + " to " + std::to_string(bounds.most);
}

bool within(double value, IntegerBounds bounds) {
  return value >= static_cast<double>(bounds.least) && value <= static_cast<double>(bounds.most);
}

}  // namespace

Hdf5Array read_whole_numbers(Hdf5File& file, const std::string& path, const WantedShape& shape,
                             IntegerBounds bounds) {
  Hdf5Array array = file.read(path);
  if (!array.integer) {
    file.fail(path, "floating-point numbers", "integers");
  }
  check_shape(file, path, array, shape);
  const auto outside =
      std::ranges::find_if_not(array.values, [&](double value) { return within(value, bounds); });
  if (outside != array.values.end()) {
    file.fail(path + "[" + std::to_string(outside - array.values.begin()) + "]",
              std::to_string(static_cast<std::int64_t>(*outside)), range_text(bounds));
  }
  return array;
}

Hdf5Array read_finite_numbers(Hdf5File& file, const std::string& path, const WantedShape& shape) {
  Hdf5Array array = file.read(path);
  if (array.integer) {
    file.fail(path, "integers", "floating-point numbers " + shape.text);
  }
  check_shape(file, path, array, shape);
  if (!std::ranges::all_of(array.values, [](double x) { return std::isfinite(x); })) {
    file.fail(path, "a value that is not finite", "finite values");
  }
  return array;
}

std::int64_t read_count(const Hdf5File& file, const std::string& path, const std::string& attribute,
                        IntegerBounds bounds) {
  const auto value = file.number(path, attribute);
  if (!value) {
    return 0;
  }
  if (!within(*value, bounds) || *value != std::floor(*value)) {
    file.fail(path + "@" + attribute, std::to_string(*value),
              "an integer from " + range_text(bounds));
  }
  return static_cast<std::int64_t>(*value);
}

}  // namespace assay::conformance
