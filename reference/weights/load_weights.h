// SPDX-License-Identifier: Apache-2.0
// Checkpoint names to the fields of weights.h, widened to Real.
//
// Checkpoint::open has checked that everything named here exists with the right shape.
#pragma once

#include <array>
#include <string>

#include "reference/core/tensor.h"
#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/config/rounding.h"
#include "reference/weights/weights.h"

namespace assay::ASSAY_REFERENCE {

class WeightReader {
 public:
  // `rounding`: that of a program which is emulated.
  explicit WeightReader(const Checkpoint& checkpoint, const Rounding& rounding = {})
      : checkpoint_(&checkpoint), rounding_(rounding) {}

  const Checkpoint& checkpoint() const { return *checkpoint_; }
  const Rounding& rounding() const { return rounding_; }

  Real scalar(const std::string& name) const;
  Tensor<D> vector(const std::string& name) const;
  Tensor<O, I> matrix(const std::string& name) const;
  // A linear map: `module`.weight, and its activation scales where the checkpoint has them.
  LinearWeights linear(const std::string& module) const;
  ActivationScales activation_scales(const std::string& module) const;
  // The rounding that goes with the storage type of this matrix, where it is emulated.
  ActivationScales stored_product(const std::string& name) const;
  // The minima of its blocks, rows [first, first + count) of all its rows, where products round
  // their sums; else empty.
  Tensor<O, I> block_minima(const std::string& name, std::size_t first, std::size_t count) const;
  // Slice `slice` of a [slices, rows, in] tensor as a linear map.
  LinearWeights linear_slice(const std::string& name, std::size_t slice) const;
  // Rows [first, first + count) of a matrix, or of slice `slice` of a [slices, rows, in] tensor.
  Tensor<O, I> matrix_rows(const std::string& name, std::size_t first, std::size_t count) const;
  Tensor<O, I> matrix_slice(const std::string& name, std::size_t slice) const;
  // All of a tensor, under a shape of as many elements: the kernel of a convolution.
  template <class... Axes>
  Tensor<Axes...> tensor(const std::string& name,
                         const std::array<std::size_t, sizeof...(Axes)>& shape) const {
    Tensor<Axes...> values = Tensor<Axes...>::from_shape(shape);
    read(name, 0, values.size(), values.data());
    return values;
  }

 private:
  void read(const std::string& name, std::size_t first, std::size_t count, Real* out) const;

  const Checkpoint* checkpoint_;
  Rounding rounding_;
};

// Layer `layer` below `prefix` ("layers." or a drafter's "model.layers.").
DecoderLayerWeights load_decoder_layer(const WeightReader& reader, const TextConfig& config,
                                       const std::string& prefix, std::size_t layer);

}  // namespace assay::ASSAY_REFERENCE
