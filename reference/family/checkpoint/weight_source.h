// SPDX-License-Identifier: Apache-2.0
// One weight of the model as a row-major array of numbers, however its file stores it: a tensor as
// it is, blocks of a quantised type, a tensor laid out otherwise, one put together from several.
//
// A form of checkpoint (checkpoint_files.h) makes one for every weight that it has; the checkpoint
// matches them with the config and reads them. Values are given as they are: NaN and infinity are
// the checkpoint's to refuse.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference/family/checkpoint/container.h"

namespace assay {

// Points into the mapped file and lives as long as the checkpoint.
struct StoredBytes {
  DType dtype;
  std::span<const std::size_t> shape;
  std::span<const std::byte> bytes;
};

class WeightSource {
 public:
  WeightSource() = default;
  WeightSource(const WeightSource&) = delete;
  WeightSource& operator=(const WeightSource&) = delete;
  virtual ~WeightSource() = default;

  virtual std::string place() const = 0;  // "model.safetensors: lm_head.weight", for messages
  virtual const std::vector<std::size_t>& shape() const = 0;
  virtual bool is_floating() const = 0;   // real numbers, not integers
  virtual std::string dtype() const = 0;  // its name, for messages

  // Elements [first, first + count); the caller has checked them against the shape.
  virtual void read(std::size_t first, std::size_t count, float* out) const = 0;
  virtual void read(std::size_t first, std::size_t count, double* out) const = 0;

  // The bytes of the weight where it is stored whole, in order, in one tensor.
  virtual std::optional<StoredBytes> stored() const { return std::nullopt; }

  // Drops its pages from memory; a later read maps them again.
  virtual void release() const = 0;
};

// Both read() of a weight, by one template give(first, count, out) of its class.
template <class Weight, class Base = WeightSource>
class ReadByGive : public Base {
 public:
  using Base::Base;
  void read(std::size_t first, std::size_t count, float* out) const final {
    static_cast<const Weight*>(this)->give(first, count, out);
  }
  void read(std::size_t first, std::size_t count, double* out) const final {
    static_cast<const Weight*>(this)->give(first, count, out);
  }
};

// A tensor as it is stored.
std::unique_ptr<WeightSource> stored_weight(const Container& file, const StoredTensor& tensor);

// Its elements from `first` on, under a shape of its own: rows of a tensor that holds several
// weights, or the same elements under other axes. The caller has checked that they lie within it.
std::unique_ptr<WeightSource> stored_part(const Container& file, const StoredTensor& tensor,
                                          std::size_t first, std::vector<std::size_t> shape);

}  // namespace assay
