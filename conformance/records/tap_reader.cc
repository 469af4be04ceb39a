// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/tap_reader.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "conformance/catalogue/catalogue.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

Tap tap_from(Hdf5Array array, const std::string& name) {
  return {name,          std::move(array.shape),  std::move(array.values),
          array.integer, std::move(array.stored), {}};
}

void check_floating(const Hdf5File& file, const std::string& path, const Hdf5Array& array) {
  if (array.integer) {
    file.fail(path, "integers", "floating-point numbers");
  }
}

void add_low_part(Hdf5File& file, const std::string& path, Hdf5Array& array) {
  const Hdf5Array low = file.read(path + "/lo");
  check_floating(file, path + "/lo", low);
  if (low.shape != array.shape) {
    file.fail(path + "/lo", "shape " + shape_string(low.shape), shape_string(array.shape));
  }
  for (std::size_t i = 0; i < low.values.size(); ++i) {
    array.values[i] += low.values[i];
  }
}

}  // namespace

Tap read_tap(Hdf5File& file, const std::string& path, const std::string& name) {
  if (file.kind(path) == Hdf5Kind::kDataset) {
    return tap_from(file.read(path), name);
  }
  if (file.kind(path + "/value") == Hdf5Kind::kDataset) {
    Hdf5Array array = file.read(path + "/value");
    if (!array.integer) {
      file.fail(path + "/value", "floating-point numbers", "integers");
    }
    return tap_from(std::move(array), name);
  }
  if (file.kind(path + "/hi") != Hdf5Kind::kDataset) {
    file.fail(path, "a group without hi and without value", "one of them");
  }
  Hdf5Array array = file.read(path + "/hi");
  check_floating(file, path + "/hi", array);
  if (file.kind(path + "/lo") == Hdf5Kind::kDataset) {
    add_low_part(file, path, array);
  }
  return tap_from(std::move(array), name);
}

}  // namespace assay::conformance
