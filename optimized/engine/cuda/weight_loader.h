// SPDX-License-Identifier: Apache-2.0
// Weights of a checkpoint in one piece of memory of a device: first all are named, then the memory
// is taken and filled.
//
// bf16, q8_0 and q4_0 keep the bits of the file (matmul_cuda.h says how they lie); every other type
// is widened to f32, exactly. Rows of bf16 are padded with zeros to a multiple of 8, which copies
// of 16 bytes need. Throws Error on a NaN or an infinity, naming the element, and on activations
// quantised by stored scales, which are not computed here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/matmul_cuda.h"
#include "reference/family/checkpoint/checkpoint.h"

namespace assay::cuda {

class WeightLoader {
 public:
  // Keeps references to both.
  WeightLoader(const Checkpoint& checkpoint, Stream& stream)
      : checkpoint_(checkpoint), stream_(stream) {}

  const Checkpoint& checkpoint() const { return checkpoint_; }

  // What is pointed to is filled in by load(): it must not move until then. Rows of a matrix come
  // in the order given, or as they are; of a tensor with three axes the first counts slices.
  void matrix(const std::string& name, DeviceWeight& to, std::span<const std::int64_t> order = {});
  // `<module>.weight`
  void linear(const std::string& module, DeviceWeight& to);
  // All of a tensor, as floats.
  void vector(const std::string& name, const float*& to);
  // Numbers that no file has as they are.
  void floats(std::vector<float> values, std::size_t rows, DeviceWeight& to);
  void floats(std::vector<float> values, const float*& to);
  float scalar(const std::string& name) const;
  std::vector<float> values(const std::string& name) const;

  // The memory that all of it lies in.
  Memory load();

 private:
  struct Planned {
    std::string name;  // empty: `given`
    std::vector<float> given;
    std::vector<std::int64_t> order;
    WeightFormat format = WeightFormat::kF32;
    std::size_t rows = 0;  // of all slices
    std::size_t columns = 0;
    std::size_t stride = 0;  // as DeviceWeight has it; of a row in memory
    std::size_t at = 0;      // of its codes
    std::size_t scales_at = 0;
    DeviceWeight* weight = nullptr;
    const float** pointer = nullptr;
  };
  WeightFormat format_of(const std::string& name, std::size_t columns) const;
  void fill(const Planned& planned, std::byte* memory);
  void fill_floats(const Planned& planned, std::byte* memory);
  void fill_stored(const Planned& planned, std::span<const std::byte> bytes, std::byte* memory);
  void check_finite(const Planned& planned, std::span<const std::byte> bytes) const;

  const Checkpoint& checkpoint_;
  Stream& stream_;
  std::vector<Planned> planned_;
};

}  // namespace assay::cuda
