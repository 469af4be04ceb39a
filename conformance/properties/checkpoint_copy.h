// SPDX-License-Identifier: Apache-2.0
// A checkpoint of safetensors files with some weights changed, in a directory that vanishes.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace assay::conformance {

class CheckpointCopy {
 public:
  // May change the values of tensor `name` (full name); what it leaves is copied as it is.
  using Edit = std::function<void(const std::string& name, const std::vector<std::size_t>& shape,
                                  std::vector<float>& values)>;

  // The config's rms_norm_eps becomes `eps`, as written here; empty: it stays.
  CheckpointCopy(const std::string& original, const std::string& eps, const Edit& edit);
  CheckpointCopy(const CheckpointCopy&) = delete;
  CheckpointCopy& operator=(const CheckpointCopy&) = delete;
  ~CheckpointCopy();

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace assay::conformance
