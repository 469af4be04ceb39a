// SPDX-License-Identifier: Apache-2.0
#include "conformance/testing/file_maker.h"

#include "reference/family/base/error.h"

namespace assay::conformance::testing {

std::string error_of(const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void write_small_golden(const std::filesystem::path& path) {
  Hdf5Writer file(path);
  file.set_integer("/", "format_version", 1);
  file.set_text("/", "checkpoint", "e2b-tiny");
  file.set_text("/", "case", "text-3");
  file.set_text("/", "oracle", "nobody 1.0");
  file.set_text("/", "not_provided", R"({"text.layer.{i}.attn.k_rope": "fused"})");
  file.make_group("/inputs");
  file.write_i32("/inputs/ids", {3}, {2, 7, 9});
  file.write_i32("/inputs/token_types", {3}, {0, 1, 1});
  file.make_group("/inputs/media");
  file.make_group("/inputs/media/0");
  file.set_text("/inputs/media/0", "kind", "image");
  file.write_f32("/inputs/media/0/soft", {2, 2}, {1, 2, 3, 4});
  file.make_group("/taps");
  file.make_group("/taps/text.embed");
  file.write_f32("/taps/text.embed/hi", {3, 2}, {1, 2, 3, 4, 5, 6});
  file.write_f32("/taps/text.embed/lo", {3, 2}, {0x1p-30, 0, 0, 0, 0, 0});
  file.set_number("/taps/text.embed", "floor_chain_f32", 1e-7);
  file.set_text("/taps/text.embed", "oracles", R"(["hf", "jax"])");
  file.make_group("/taps/text.mask.global");
  file.write_i32("/taps/text.mask.global/value", {3, 3}, {1, 0, 0, 1, 1, 0, 1, 1, 1});
  file.make_group("/taps/text.ids");
  file.write_i32("/taps/text.ids/value", {3}, {2, 7, 9});
  file.finish();
}

void spoil(const std::filesystem::path& path, const std::function<void(hid_t file)>& change) {
  Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
  ASSERT_TRUE(file.valid());
  change(file.id());
  ASSERT_TRUE(file.close());
}

void remake(hid_t file, const std::string& name, hid_t type, const std::vector<hsize_t>& shape,
            hid_t plan) {
  if (H5Lexists(file, name.c_str(), H5P_DEFAULT) > 0) {
    ASSERT_GE(H5Ldelete(file, name.c_str(), H5P_DEFAULT), 0);
  }
  const Hdf5Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                         H5Sclose);
  const Hdf5Handle dataset(
      H5Dcreate2(file, name.c_str(), type, space.id(), H5P_DEFAULT, plan, H5P_DEFAULT), H5Dclose);
  ASSERT_TRUE(dataset.valid()) << name;
}

namespace {

void set_scalar(hid_t file, const std::string& object, const std::string& name, hid_t type,
                const void* value) {
  const Hdf5Handle place(H5Oopen(file, object.c_str(), H5P_DEFAULT), H5Oclose);
  H5Adelete(place.id(), name.c_str());
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Hdf5Handle attribute(
      H5Acreate2(place.id(), name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  ASSERT_GE(H5Awrite(attribute.id(), type, value), 0) << name;
}

}  // namespace

void set_attribute(hid_t file, const std::string& object, const std::string& name,
                   const std::string& text) {
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), text.size() + 1);
  set_scalar(file, object, name, type.id(), text.c_str());
}

void set_attribute(hid_t file, const std::string& object, const std::string& name, double value) {
  set_scalar(file, object, name, H5T_NATIVE_DOUBLE, &value);
}

}  // namespace assay::conformance::testing
