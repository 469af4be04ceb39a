// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/cuda/cuda_model.h"

#include "conformance/doors/status_of.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

Checkpoint open_target(const std::string& path) {
  Checkpoint checkpoint = Checkpoint::open(path);
  if (checkpoint.config().drafter) {
    throw Error(path + ": got a drafter, expected the target model");
  }
  return checkpoint;
}

}  // namespace

cuda::Options cuda_options_of(const std::string& precision) {
  cuda::Options options;
  options.round_to_bf16 = precision == "bf16";
  return options;
}

CudaModel::CudaModel(const std::string& path, const std::string& drafter_path,
                     const cuda::Options& options)
    : checkpoint(open_target(path)), model(checkpoint, stream), engine(model, options, stream) {
  if (!drafter_path.empty()) {
    throw NotBuilt("the CUDA engine has no drafter");
  }
}

}  // namespace assay::conformance
