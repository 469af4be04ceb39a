// SPDX-License-Identifier: Apache-2.0
// One file of named tensors, mapped, in whatever format it is: safetensors or GGUF, told apart by
// its first bytes. Nothing above this page knows which.
//
// open() checks everything that the file says about its tensors before a byte of their data is
// touched; each format's header says what that is. Shapes are row-major, whatever the file has.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/base/mapped_file.h"
#include "reference/family/checkpoint/stored_tensor.h"

namespace assay {

class Container {
 public:
  // `label` is the file's name in messages; by default the last part of the path.
  static Container open(const std::filesystem::path& path, std::string_view label = {});

  const std::string& label() const { return label_; }

  // In name order.
  const std::vector<StoredTensor>& tensors() const { return layout_.tensors; }

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

  // Drops the tensor's pages from memory; a later read maps them again.
  void release(const StoredTensor& tensor) const;

 private:
  Container(MappedFile file, std::string label, ContainerLayout layout);

  MappedFile file_;
  std::string label_;
  ContainerLayout layout_;
};

}  // namespace assay
