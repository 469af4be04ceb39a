// SPDX-License-Identifier: Apache-2.0
// An HDF5 file that nobody vouches for, read with every claim checked before it is believed.
//
//   links       hard ones only: no soft, external or user-defined link is followed
//   storage     inside the file: no external files, no virtual datasets; deflate, shuffle and
//               fletcher32 are the only filters, so that no plug-in is ever loaded
//   numbers     f16, bf16, f32, f64, integers up to 64 bits, booleans, pairs of bytes without a
//   type
//               (as h5py stores types that NumPy has no name for); rank <= 8
//   size        2^28 elements a dataset; all reads of a file together ask for at most
//               min(4 GiB, 128 MiB + 64 x the file's size), so that a small file cannot ask for
//               much
//
// The library can still crash on damaged metadata: probe.h.
// Messages: "file: thing: got X, expected Y". The library is not thread-safe; neither is this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace assay::conformance {

enum class Hdf5Kind { kAbsent, kGroup, kDataset };

struct Hdf5Array {
  std::vector<std::size_t> shape;
  std::vector<double> values;  // row-major
  bool integer = false;        // stored as integers, booleans or bytes without a type
  std::string stored;          // "I32", "U16", "V2" for two bytes without a type, …
};

class Hdf5File {
 public:
  static Hdf5File open(const std::filesystem::path& path);
  static bool is_hdf5(const std::filesystem::path& path);         // only the signature is looked at
  static std::size_t size_of(const std::filesystem::path& path);  // throws when it is no such file

  Hdf5File(Hdf5File&&) noexcept;
  Hdf5File& operator=(Hdf5File&&) noexcept;
  ~Hdf5File();

  const std::string& label() const;  // the file's name in messages

  // Paths are absolute; "/" is the root.
  Hdf5Kind kind(const std::string& path) const;
  std::vector<std::string> children(const std::string& group) const;

  Hdf5Array read(const std::string& dataset);

  // Scalar attributes of a group or dataset. Null when it is not there; throws when it is there
  // and is of another type.
  std::optional<std::string> text(const std::string& path, const std::string& attribute) const;
  std::optional<double> number(const std::string& path, const std::string& attribute) const;
  // All that are scalar text or numbers, as text.
  std::map<std::string, std::string> attributes(const std::string& path) const;

  // Throws assay::Error("<label>: <thing>: got <got>, expected <expected>").
  [[noreturn]] void fail(const std::string& thing, const std::string& got,
                         const std::string& expected) const;

 private:
  struct Impl;
  explicit Hdf5File(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A new file that appears under its name when finish() is called, and not at all before.
class Hdf5Writer {
 public:
  explicit Hdf5Writer(const std::filesystem::path& path);
  ~Hdf5Writer();

  void make_group(const std::string& path);
  void write_f32(const std::string& path, const std::vector<std::size_t>& shape,
                 const std::vector<double>& values);
  void write_f64(const std::string& path, const std::vector<std::size_t>& shape,
                 const std::vector<double>& values);
  void write_i32(const std::string& path, const std::vector<std::size_t>& shape,
                 const std::vector<double>& values);  // throws when a value is no int32
  void set_text(const std::string& path, const std::string& attribute, const std::string& text);
  void set_number(const std::string& path, const std::string& attribute, double value);
  void set_integer(const std::string& path, const std::string& attribute, std::int64_t value);
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace assay::conformance
