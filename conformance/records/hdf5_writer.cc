// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <system_error>

#include "conformance/records/hdf5_file.h"
#include "conformance/records/hdf5_handle.h"
#include "conformance/records/tap_set.h"
#include "reference/family/base/error.h"

namespace assay::conformance {

struct Hdf5Writer::Impl {
  std::filesystem::path path;
  std::filesystem::path temporary;
  Hdf5Handle file;

  [[noreturn]] void fail(const std::string& thing) const {
    throw Error(path.filename().string() + ": " + thing +
                ": got an error while writing, expected a writable place with enough room");
  }

  void write(const std::string& name, const std::vector<std::size_t>& shape, hid_t stored,
             hid_t given, const void* values) {
    const std::vector<hsize_t> extents(shape.begin(), shape.end());
    const Hdf5Handle space(
        shape.empty() ? H5Screate(H5S_SCALAR)
                      : H5Screate_simple(static_cast<int>(shape.size()), extents.data(), nullptr),
        H5Sclose);
    Hdf5Handle dataset(H5Dcreate2(file.id(), name.c_str(), stored, space.id(), H5P_DEFAULT,
                                  H5P_DEFAULT, H5P_DEFAULT),
                       H5Dclose);
    const bool empty = std::ranges::find(shape, std::size_t{0}) != shape.end();
    if (!dataset.valid() ||
        (!empty && H5Dwrite(dataset.id(), given, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)) {
      fail(name);
    }
  }

  void set(const std::string& object_path, const std::string& name, hid_t type, const void* value) {
    const Hdf5Handle object(H5Oopen(file.id(), object_path.c_str(), H5P_DEFAULT), H5Oclose);
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle attribute(
        H5Acreate2(object.id(), name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT),
        H5Aclose);
    if (!attribute.valid() || H5Awrite(attribute.id(), type, value) < 0) {
      fail(object_path + "@" + name);
    }
  }
};

Hdf5Writer::Hdf5Writer(const std::filesystem::path& path) : impl_(std::make_unique<Impl>()) {
  silence_hdf5();
  impl_->path = path;
  impl_->temporary = path;
  impl_->temporary += ".part-" + std::to_string(getpid());
  impl_->file = Hdf5Handle(
      H5Fcreate(impl_->temporary.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
  if (!impl_->file.valid()) {
    impl_->fail("file");
  }
}

Hdf5Writer::~Hdf5Writer() {
  impl_->file.close();
  std::error_code ignored;
  std::filesystem::remove(impl_->temporary, ignored);
}

void Hdf5Writer::make_group(const std::string& path) {
  const Hdf5Handle group(
      H5Gcreate2(impl_->file.id(), path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
  if (!group.valid()) {
    impl_->fail(path);
  }
}

void Hdf5Writer::write_f32(const std::string& path, const std::vector<std::size_t>& shape,
                           const std::vector<double>& values) {
  impl_->write(path, shape, H5T_IEEE_F32LE, H5T_NATIVE_DOUBLE, values.data());
}

void Hdf5Writer::write_f64(const std::string& path, const std::vector<std::size_t>& shape,
                           const std::vector<double>& values) {
  impl_->write(path, shape, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data());
}

void Hdf5Writer::write_i32(const std::string& path, const std::vector<std::size_t>& shape,
                           const std::vector<double>& values) {
  std::vector<std::int32_t> integers(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    if (value != std::floor(value) || value < std::numeric_limits<std::int32_t>::min() ||
        value > std::numeric_limits<std::int32_t>::max()) {
      throw Error(impl_->path.filename().string() + ": " + path + ": got " + std::to_string(value) +
                  ", expected an integer of 32 bits");
    }
    integers[i] = static_cast<std::int32_t>(value);
  }
  impl_->write(path, shape, H5T_STD_I32LE, H5T_NATIVE_INT32, integers.data());
}

void Hdf5Writer::set_text(const std::string& path, const std::string& attribute,
                          const std::string& text) {
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), H5T_VARIABLE);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  const char* bytes = text.c_str();
  impl_->set(path, attribute, type.id(), &bytes);
}

void Hdf5Writer::set_number(const std::string& path, const std::string& attribute, double value) {
  impl_->set(path, attribute, H5T_NATIVE_DOUBLE, &value);
}

void Hdf5Writer::set_integer(const std::string& path, const std::string& attribute,
                             std::int64_t value) {
  impl_->set(path, attribute, H5T_NATIVE_INT64, &value);
}

void Hdf5Writer::finish() {
  if (!impl_->file.close()) {
    impl_->fail("file");
  }
  std::error_code error;
  std::filesystem::rename(impl_->temporary, impl_->path, error);
  if (error) {
    impl_->fail("file");
  }
}

}  // namespace assay::conformance
