// SPDX-License-Identifier: Apache-2.0
// What adapter and session of the CUDA engine share: a model from its files.
#pragma once

#include <optional>
#include <string>

#include "optimized/engine/cuda/drafter.h"
#include "optimized/engine/cuda/media_encoder.h"

namespace assay::conformance {

cuda::Options cuda_options_of(const std::string& precision);

// A model on the device, with a drafter or without; not to be moved.
struct CudaModel {
  CudaModel(const std::string& path, const std::string& drafter, const cuda::Options& options);

  cuda::Stream stream;
  Checkpoint checkpoint;
  cuda::Model model;
  cuda::Engine engine;
  cuda::MediaEncoder media;
  std::optional<Checkpoint> drafter_checkpoint;
  std::optional<cuda::Model> drafter;
};

}  // namespace assay::conformance
