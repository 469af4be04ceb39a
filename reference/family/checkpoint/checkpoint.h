// SPDX-License-Identifier: Apache-2.0
// A model's config and its weights, in any form that checkpoint_files.h lists, mapped.
//
// open() reads the config and every header, and checks all names, shapes, dtypes and byte ranges
// against the config (spec text 5.1, multimodal 8.1, R-90) before anything else is read. Encoders
// are there as a whole or not at all; config() has only those that are. Values are widened when
// they are asked for, and checked for NaN and infinity then, a clip bound also against its partner.
// Files are untrusted: every error is an assay::Error that names file, thing, what was got and what
// was expected.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/checkpoint/weight_source.h"
#include "reference/family/config/config.h"

namespace assay {

struct TensorInfo {
  std::string name;  // as in the file
  DType dtype = DType::kF32;
  std::vector<std::size_t> shape;
  std::string file;  // within the directory
};

class Checkpoint {
 public:
  // `path` names a form of checkpoint_files.h.
  static Checkpoint open(const std::filesystem::path& path);

  Checkpoint(Checkpoint&&) noexcept;
  Checkpoint& operator=(Checkpoint&&) noexcept;
  ~Checkpoint();

  const ModelConfig& config() const;
  const std::filesystem::path& path() const;

  // Every tensor of the files in name order, encoders included.
  std::vector<TensorInfo> tensors() const;

  // Names below are the file's without config().weight_prefix for text tensors
  // ("layers.0.self_attn.q_proj.weight"), and the full name where the prefix does not apply
  // (a drafter's "pre_projection.weight", an encoder's "model.vision_tower.std_bias").
  // Keys and values that a KV-sharing layer stores without need are not to be had under any name.
  bool has(std::string_view name) const;
  const std::vector<std::size_t>& shape(std::string_view name) const;

  // The bytes of `name` as the file has them, for whoever decodes them; checked only for their
  // number. Nothing where the weight is not stored whole in one tensor.
  std::optional<StoredBytes> stored(std::string_view name) const;

  // Widens `count` elements from element `first` (row-major) into out. Throws on a NaN or an
  // infinity, naming the element. Real is float or double; f64 storage narrows to float.
  template <class Real>
  void read(std::string_view name, std::size_t first, std::size_t count, Real* out) const;

  // What a user should hear of, a line each.
  const std::vector<std::string>& notes() const;

  // The integers of `name` (a drafter's token_ordering).
  std::vector<std::int64_t> read_integers(std::string_view name) const;

  // Tells the system that the pages of `name` are not needed now; a later read maps them again.
  void release(std::string_view name) const;

 private:
  struct Impl;
  explicit Checkpoint(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

extern template void Checkpoint::read<float>(std::string_view, std::size_t, std::size_t,
                                             float*) const;
extern template void Checkpoint::read<double>(std::string_view, std::size_t, std::size_t,
                                              double*) const;

}  // namespace assay
