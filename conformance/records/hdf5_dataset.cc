// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/hdf5_dataset.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "reference/family/base/error.h"
#include "reference/family/base/number_formats.h"

namespace assay::conformance {
namespace {

constexpr int kMaxRank = 8;
constexpr std::size_t kMaxElements = std::size_t{1} << 28;

enum class Number { kHalf, kBfloat16, kReal, kInteger, kTwoBytes };

[[noreturn]] void fail(const DatasetPlace& place, const std::string& got,
                       const std::string& expected) {
  throw Error(place.label + ": " + place.path + ": got " + got + ", expected " + expected);
}

struct FloatFields {
  std::size_t exponent_bits = 0;
  std::size_t fraction_bits = 0;
};

Number float_kind(const Hdf5Handle& type, const DatasetPlace& place) {
  std::size_t sign = 0;
  std::size_t exponent_at = 0;
  std::size_t fraction_at = 0;
  FloatFields fields;
  H5Tget_fields(type.id(), &sign, &exponent_at, &fields.exponent_bits, &fraction_at,
                &fields.fraction_bits);
  const auto is = [&](std::size_t size, std::size_t exponent, std::size_t fraction) {
    return H5Tget_size(type.id()) == size && fields.exponent_bits == exponent &&
           fields.fraction_bits == fraction && sign == 8 * size - 1 && exponent_at == fraction &&
           fraction_at == 0;
  };
  if (is(8, 11, 52) || is(4, 8, 23)) {
    return Number::kReal;
  }
  if (is(2, 5, 10)) {
    return Number::kHalf;
  }
  if (is(2, 8, 7)) {
    return Number::kBfloat16;
  }
  fail(place, "a float of " + std::to_string(H5Tget_size(type.id())) + " bytes",
       "f16, bf16, f32 or f64");
}

Number number_kind(const Hdf5Handle& type, const DatasetPlace& place) {
  switch (type.valid() ? H5Tget_class(type.id()) : H5T_NO_CLASS) {
    case H5T_FLOAT:
      return float_kind(type, place);
    case H5T_INTEGER:
    case H5T_ENUM:  // booleans
      if (H5Tget_size(type.id()) <= sizeof(std::int64_t)) {
        return Number::kInteger;
      }
      fail(place, "integers of " + std::to_string(H5Tget_size(type.id())) + " bytes", "at most 8");
    case H5T_OPAQUE:
      if (H5Tget_size(type.id()) == sizeof(std::uint16_t)) {
        return Number::kTwoBytes;
      }
      fail(place, "values without a type", "numbers");
    case H5T_STRING:
      fail(place, "text", "numbers");
    default:
      fail(place, "values that are no numbers", "numbers");
  }
}

std::size_t count_elements(const std::vector<std::size_t>& shape, const DatasetPlace& place) {
  std::size_t count = 1;
  for (const std::size_t extent : shape) {
    if (extent > kMaxElements || count * extent > kMaxElements) {
      fail(place, "shape " + shape_string(shape),
           "at most " + std::to_string(kMaxElements) + " values");
    }
    count *= extent;
  }
  return count;
}

std::vector<std::size_t> read_shape(const Hdf5Handle& dataset, const DatasetPlace& place) {
  const Hdf5Handle space(H5Dget_space(dataset.id()), H5Sclose);
  const H5S_class_t space_class =
      space.valid() ? H5Sget_simple_extent_type(space.id()) : H5S_NO_CLASS;
  if (space_class == H5S_SCALAR) {
    return {};
  }
  if (space_class != H5S_SIMPLE) {
    fail(place, "no shape", "an array");
  }
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (rank < 0 || rank > kMaxRank) {
    fail(place, "rank " + std::to_string(rank), "at most " + std::to_string(kMaxRank));
  }
  std::array<hsize_t, kMaxRank> extents{};
  H5Sget_simple_extent_dims(space.id(), extents.data(), nullptr);
  return {extents.begin(), extents.begin() + rank};
}

void check_filters(const Hdf5Handle& plan, const DatasetPlace& place) {
  const int filters = H5Pget_nfilters(plan.id());
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0;
    unsigned config = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(plan.id(), static_cast<unsigned>(i), &flags, &values,
                                               nullptr, 0, nullptr, &config);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32) {
      fail(place, "filter " + std::to_string(filter), "deflate, shuffle or fletcher32");
    }
  }
}

// The largest piece the library holds at once.
std::size_t chunk_bytes(const Hdf5Handle& plan, std::size_t element_bytes,
                        const DatasetPlace& place) {
  std::array<hsize_t, kMaxRank + 1> extents{};
  const int rank = H5Pget_chunk(plan.id(), kMaxRank + 1, extents.data());
  if (rank < 0 || rank > kMaxRank) {
    fail(place, "damaged chunks", "chunks of the dataset's rank");
  }
  return count_elements({extents.begin(), extents.begin() + rank}, place) * element_bytes;
}

void check_storage(const Hdf5Handle& dataset, std::size_t bytes, std::size_t element_bytes,
                   const DatasetPlace& place) {
  const Hdf5Handle plan(H5Dget_create_plist(dataset.id()), H5Pclose);
  if (!plan.valid()) {
    fail(place, "a damaged dataset", "a dataset");
  }
  const H5D_layout_t layout = H5Pget_layout(plan.id());
  if (layout == H5D_VIRTUAL || H5Pget_external_count(plan.id()) != 0) {
    fail(place, "values stored in other files", "values in this file");
  }
  check_filters(plan, place);
  const std::size_t stored = H5Dget_storage_size(dataset.id());
  if (bytes != 0 && (stored == 0 || stored > place.file_bytes)) {
    fail(place, std::to_string(stored) + " stored bytes",
         "between 1 and the file's " + std::to_string(place.file_bytes));
  }
  if (layout != H5D_CHUNKED && stored < bytes) {
    fail(place, std::to_string(stored) + " stored bytes", std::to_string(bytes));
  }
  const std::size_t chunk =
      layout == H5D_CHUNKED ? chunk_bytes(plan, element_bytes, place) : std::size_t{0};
  const std::size_t asked = std::max(bytes, chunk);
  if (asked > *place.bytes_left) {
    fail(place, std::to_string(asked) + " bytes in a file of " + std::to_string(place.file_bytes),
         "at most " + std::to_string(*place.bytes_left) + " more");
  }
  *place.bytes_left -= asked;
}

template <class Stored, class Widen>
std::vector<double> read_as(const Hdf5Handle& dataset, hid_t memory_type, std::size_t count,
                            const DatasetPlace& place, Widen widen) {
  std::vector<Stored> stored(count);
  if (count != 0 &&
      H5Dread(dataset.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, stored.data()) < 0) {
    fail(place, "values that cannot be read", std::to_string(count) + " values");
  }
  std::vector<double> values(count);
  std::ranges::transform(stored, values.begin(), widen);
  return values;
}

// 16-bit floats come as they are stored, in this machine's byte order, and are widened here.
Hdf5Handle sixteen_bit_type(const Hdf5Handle& type) {
  Hdf5Handle memory(H5Tcopy(type.id()), H5Tclose);
  H5Tset_order(memory.id(), H5Tget_order(H5T_NATIVE_UINT16));
  return memory;
}

std::vector<double> read_values(const Hdf5Handle& dataset, const Hdf5Handle& type, Number number,
                                std::size_t count, const DatasetPlace& place) {
  switch (number) {
    case Number::kInteger:
      return read_as<std::int64_t>(dataset, H5T_NATIVE_INT64, count, place,
                                   [](std::int64_t value) { return static_cast<double>(value); });
    case Number::kReal:
      if (H5Tget_size(type.id()) == sizeof(float)) {
        return read_as<float>(dataset, H5T_NATIVE_FLOAT, count, place,
                              [](float value) { return static_cast<double>(value); });
      }
      return read_as<double>(dataset, H5T_NATIVE_DOUBLE, count, place,
                             [](double value) { return value; });
    case Number::kTwoBytes:  // little-endian, as NumPy has them on the machines of today
      return read_as<std::array<std::uint8_t, 2>>(
          dataset, type.id(), count, place,
          [](std::array<std::uint8_t, 2> bytes) { return bytes[0] + 256.0 * bytes[1]; });
    case Number::kHalf:
    case Number::kBfloat16:
      break;
  }
  const Hdf5Handle memory = sixteen_bit_type(type);
  const auto widen = number == Number::kHalf ? float_from_f16 : float_from_bf16;
  return read_as<std::uint16_t>(dataset, memory.id(), count, place, [widen](std::uint16_t bits) {
    return static_cast<double>(widen(bits));
  });
}

// As safetensors calls it.
std::string stored_name(const Hdf5Handle& type, Number number) {
  switch (number) {
    case Number::kTwoBytes:
      return "V2";
    case Number::kHalf:
      return "F16";
    case Number::kBfloat16:
      return "BF16";
    default:
      break;
  }
  const bool is_signed =
      H5Tget_class(type.id()) == H5T_INTEGER && H5Tget_sign(type.id()) != H5T_SGN_NONE;
  const char* family = number == Number::kReal ? "F" : is_signed ? "I" : "U";
  return family + std::to_string(8 * H5Tget_size(type.id()));
}

}  // namespace

Hdf5Array read_dataset(const Hdf5Handle& dataset, const DatasetPlace& place) {
  if (!dataset.valid()) {
    fail(place, "a damaged dataset", "a dataset");
  }
  const Hdf5Handle type(H5Dget_type(dataset.id()), H5Tclose);
  const Number number = number_kind(type, place);
  Hdf5Array array;
  array.shape = read_shape(dataset, place);
  array.integer = number == Number::kInteger || number == Number::kTwoBytes;
  array.stored = stored_name(type, number);
  const std::size_t count = count_elements(array.shape, place);
  const std::size_t element_bytes = H5Tget_size(type.id());
  check_storage(dataset, count * element_bytes, element_bytes, place);
  array.values = read_values(dataset, type, number, count, place);
  return array;
}

}  // namespace assay::conformance
