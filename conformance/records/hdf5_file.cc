// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/hdf5_file.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <system_error>
#include <utility>

#include "conformance/records/hdf5_dataset.h"
#include "conformance/records/hdf5_handle.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kMaxChildren = 1'000'000;
constexpr std::size_t kMaxAttributes = 10'000;
constexpr std::size_t kMaxAttributeBytes = 1 << 20;
constexpr std::size_t kMostBytes = std::size_t{4} << 30;
constexpr std::size_t kFreeBytes = std::size_t{128} << 20;
constexpr std::size_t kBytesPerFileByte = 64;

struct Children {
  std::vector<std::string> names;
  std::string bad_link;  // the first that is not a hard one
  bool too_many = false;
};

herr_t collect_child(hid_t, const char* name, const H5L_info_t* info, void* data) noexcept {
  try {
    auto& children = *static_cast<Children*>(data);
    if (info->type != H5L_TYPE_HARD) {
      children.bad_link = name;
      return 1;
    }
    children.names.emplace_back(name);
    children.too_many = children.names.size() > kMaxChildren;
    return children.too_many ? 1 : 0;
  } catch (...) {
    return -1;
  }
}

std::string number_as_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.17g", value);
  return text.data();
}

std::string join(const std::string& group, const std::string& name) {
  return group == "/" ? group + name : group + "/" + name;
}

}  // namespace

struct Hdf5File::Impl {
  Hdf5Handle file;
  std::string label;
  std::size_t file_bytes = 0;
  std::size_t bytes_left = 0;

  [[noreturn]] void fail(const std::string& thing, const std::string& got,
                         const std::string& expected) const {
    throw Error(label + ": " + thing + ": got " + got + ", expected " + expected);
  }

  // Every link on the way is looked at before it is followed.
  Hdf5Kind kind(const std::string& path) const {
    for (std::size_t end = path.find('/', 1); path != "/"; end = path.find('/', end + 1)) {
      const std::string prefix = path.substr(0, end);
      if (H5Lexists(file.id(), prefix.c_str(), H5P_DEFAULT) <= 0) {
        return Hdf5Kind::kAbsent;
      }
      H5L_info_t link;
      if (H5Lget_info(file.id(), prefix.c_str(), &link, H5P_DEFAULT) < 0 ||
          link.type != H5L_TYPE_HARD) {
        fail(prefix, "a soft or external link", "the object itself");
      }
      const Hdf5Kind here = object_kind(prefix);
      if (end == std::string::npos || here != Hdf5Kind::kGroup) {
        return end == std::string::npos ? here : Hdf5Kind::kAbsent;
      }
    }
    return Hdf5Kind::kGroup;
  }

  Hdf5Kind object_kind(const std::string& path) const {
    H5O_info_t info;
    if (H5Oget_info_by_name1(file.id(), path.c_str(), &info, H5P_DEFAULT) < 0) {
      fail(path, "an object that cannot be read", "a group or a dataset");
    }
    if (info.type == H5O_TYPE_GROUP) {
      return Hdf5Kind::kGroup;
    }
    if (info.type != H5O_TYPE_DATASET) {
      fail(path, "an object of another kind", "a group or a dataset");
    }
    return Hdf5Kind::kDataset;
  }

  Hdf5Handle open_object(const std::string& path) const {
    if (kind(path) == Hdf5Kind::kAbsent) {
      fail(path, "nothing", "a group or a dataset");
    }
    Hdf5Handle object(H5Oopen(file.id(), path.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object.valid()) {
      fail(path, "an object that cannot be read", "a group or a dataset");
    }
    return object;
  }

  Hdf5Handle open_attribute(const Hdf5Handle& object, const std::string& thing,
                            const std::string& name) const {
    Hdf5Handle attribute(H5Aopen(object.id(), name.c_str(), H5P_DEFAULT), H5Aclose);
    if (!attribute.valid()) {
      fail(thing, "an attribute that cannot be read", "text or a number");
    }
    return attribute;
  }

  std::optional<std::string> read_text(const Hdf5Handle& attribute) const;
  std::optional<double> read_number(const Hdf5Handle& attribute) const;
};

namespace {

bool is_scalar(const Hdf5Handle& attribute) {
  const Hdf5Handle space(H5Aget_space(attribute.id()), H5Sclose);
  return space.valid() && H5Sget_simple_extent_npoints(space.id()) == 1;
}

std::string up_to_zero(const std::string& text) {
  const std::size_t end = text.find('\0');
  return end == std::string::npos ? text : text.substr(0, end);
}

}  // namespace

std::optional<std::string> Hdf5File::Impl::read_text(const Hdf5Handle& attribute) const {
  const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
  if (!type.valid() || !is_scalar(attribute) || H5Tget_class(type.id()) != H5T_STRING) {
    return std::nullopt;
  }
  if (H5Tis_variable_str(type.id()) > 0) {
    char* text = nullptr;
    if (H5Aread(attribute.id(), type.id(), &text) < 0 || text == nullptr) {
      return std::string();
    }
    std::string copy(text);
    H5free_memory(text);
    return copy;
  }
  const std::size_t size = H5Tget_size(type.id());
  if (size > kMaxAttributeBytes) {
    return std::nullopt;
  }
  std::string text(size, '\0');
  if (H5Aread(attribute.id(), type.id(), text.data()) < 0) {
    return std::nullopt;
  }
  return up_to_zero(text);
}

std::optional<double> Hdf5File::Impl::read_number(const Hdf5Handle& attribute) const {
  const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
  const H5T_class_t type_class = type.valid() ? H5Tget_class(type.id()) : H5T_NO_CLASS;
  if (!is_scalar(attribute) || (type_class != H5T_FLOAT && type_class != H5T_INTEGER) ||
      H5Tget_size(type.id()) > sizeof(double)) {
    return std::nullopt;
  }
  double value = 0;
  if (H5Aread(attribute.id(), H5T_NATIVE_DOUBLE, &value) < 0) {
    return std::nullopt;
  }
  return value;
}

Hdf5File::Hdf5File(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;
Hdf5File& Hdf5File::operator=(Hdf5File&&) noexcept = default;
Hdf5File::~Hdf5File() = default;

const std::string& Hdf5File::label() const {
  return impl_->label;
}

void Hdf5File::fail(const std::string& thing, const std::string& got,
                    const std::string& expected) const {
  impl_->fail(thing, got, expected);
}

bool Hdf5File::is_hdf5(const std::filesystem::path& path) {
  silence_hdf5();
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && H5Fis_hdf5(path.c_str()) > 0;
}

std::size_t Hdf5File::size_of(const std::filesystem::path& path) {
  silence_hdf5();
  Impl impl;
  impl.label = path.filename().string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    impl.fail("file", std::filesystem::exists(path, error) ? "no regular file" : "nothing",
              "an HDF5 file");
  }
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error || H5Fis_hdf5(path.c_str()) <= 0) {
    impl.fail("file", "bytes that are not HDF5", "an HDF5 file");
  }
  return bytes;
}

Hdf5File Hdf5File::open(const std::filesystem::path& path) {
  auto impl = std::make_unique<Impl>();
  impl->label = path.filename().string();
  impl->file_bytes = size_of(path);
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access.id(), false, true);  // goldens may lie on a read-only disk
  impl->file = Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
  if (!impl->file.valid()) {
    impl->fail("file", "a truncated or damaged HDF5 file", "a whole one");
  }
  impl->bytes_left = std::min(kMostBytes, kFreeBytes + kBytesPerFileByte * impl->file_bytes);
  return Hdf5File(std::move(impl));
}

Hdf5Kind Hdf5File::kind(const std::string& path) const {
  return impl_->kind(path);
}

std::vector<std::string> Hdf5File::children(const std::string& group) const {
  if (impl_->kind(group) != Hdf5Kind::kGroup) {
    impl_->fail(group, "no group", "a group");
  }
  const Hdf5Handle handle = impl_->open_object(group);
  Children children;
  hsize_t index = 0;
  if (H5Literate(handle.id(), H5_INDEX_NAME, H5_ITER_INC, &index, collect_child, &children) < 0) {
    impl_->fail(group, "a damaged list of members", "a group");
  }
  if (!children.bad_link.empty()) {
    impl_->fail(join(group, children.bad_link), "a soft or external link", "the object itself");
  }
  if (children.too_many) {
    impl_->fail(group, "more members than " + std::to_string(kMaxChildren), "fewer");
  }
  return std::move(children.names);
}

Hdf5Array Hdf5File::read(const std::string& dataset) {
  if (impl_->kind(dataset) != Hdf5Kind::kDataset) {
    impl_->fail(dataset, "no dataset", "a dataset");
  }
  const Hdf5Handle handle(H5Dopen2(impl_->file.id(), dataset.c_str(), H5P_DEFAULT), H5Dclose);
  return read_dataset(handle, {impl_->label, dataset, impl_->file_bytes, &impl_->bytes_left});
}

std::optional<std::string> Hdf5File::text(const std::string& path,
                                          const std::string& attribute) const {
  const Hdf5Handle object = impl_->open_object(path);
  if (H5Aexists(object.id(), attribute.c_str()) <= 0) {
    return std::nullopt;
  }
  const std::string thing = path + "@" + attribute;
  auto text = impl_->read_text(impl_->open_attribute(object, thing, attribute));
  if (!text) {
    impl_->fail(thing, "an attribute of another type", "one text");
  }
  return text;
}

std::optional<double> Hdf5File::number(const std::string& path,
                                       const std::string& attribute) const {
  const Hdf5Handle object = impl_->open_object(path);
  if (H5Aexists(object.id(), attribute.c_str()) <= 0) {
    return std::nullopt;
  }
  const std::string thing = path + "@" + attribute;
  const auto number = impl_->read_number(impl_->open_attribute(object, thing, attribute));
  if (!number) {
    impl_->fail(thing, "an attribute of another type", "one number");
  }
  return number;
}

std::map<std::string, std::string> Hdf5File::attributes(const std::string& path) const {
  const Hdf5Handle object = impl_->open_object(path);
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5A_info_t*, void* data) -> herr_t {
    try {
      auto& all = *static_cast<std::vector<std::string>*>(data);
      all.emplace_back(name);
      return all.size() > kMaxAttributes ? -1 : 0;
    } catch (...) {
      return -1;
    }
  };
  hsize_t index = 0;
  if (H5Aiterate2(object.id(), H5_INDEX_NAME, H5_ITER_INC, &index, collect, &names) < 0) {
    impl_->fail(path, "damaged or too many attributes", "attributes");
  }
  std::map<std::string, std::string> all;
  for (const std::string& name : names) {
    std::string thing = path;
    thing.append("@").append(name);
    const Hdf5Handle attribute = impl_->open_attribute(object, thing, name);
    if (const auto text = impl_->read_text(attribute)) {
      all.emplace(name, *text);
    } else if (const auto number = impl_->read_number(attribute)) {
      all.emplace(name, number_as_text(*number));
    }
  }
  return all;
}

}  // namespace assay::conformance
