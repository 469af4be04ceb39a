// SPDX-License-Identifier: Apache-2.0
// One safetensors file, mapped:
//
//   8 bytes   length N of the header, little endian
//   N bytes   JSON: {"name": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}, …}
//   the rest  the tensors' bytes, row-major; offsets count from here
//
// open() checks everything the header says before a byte of data is touched: names are unique, the
// byte count is that of dtype and shape, and the ranges tile the data section without gap or
// overlap.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/base/mapped_file.h"
#include "reference/family/checkpoint/dtype.h"

namespace assay {

struct StoredTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::size_t> shape;
  std::size_t elements = 0;
  std::size_t begin = 0;  // bytes, from the start of the data section
  std::size_t end = 0;
};

class Safetensors {
 public:
  // `label` is the file's name in messages; by default the last part of the path.
  static Safetensors open(const std::filesystem::path& path, std::string_view label = {});

  const std::string& label() const { return label_; }

  // In name order.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }

  // Null when the file has no such tensor.
  const StoredTensor* find(std::string_view name) const;

  std::span<const std::byte> bytes(const StoredTensor& tensor) const;

  // The whole tensor, widened; NaN and infinity pass. Throws when there is none of this name.
  std::vector<double> read(std::string_view name) const;

  // Throws unless [first, first + count) lies within the tensor.
  void check_range(const StoredTensor& tensor, std::size_t first, std::size_t count) const;

  // Widens those elements.
  template <class Real>
  void read(const StoredTensor& tensor, std::size_t first, std::size_t count, Real* out) const {
    check_range(tensor, first, count);
    widen(tensor.dtype, bytes(tensor), first, count, out);
  }

  void release(const StoredTensor& tensor) const;

 private:
  Safetensors(MappedFile file, std::string label);

  MappedFile file_;
  std::string label_;
  std::size_t data_begin_ = 0;
  std::vector<StoredTensor> tensors_;
};

}  // namespace assay
