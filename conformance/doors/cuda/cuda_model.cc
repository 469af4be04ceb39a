// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/cuda/cuda_model.h"

#include "reference/family/base/error.h"
#include "reference/family/config/drafter_target.h"

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
    : checkpoint(open_target(path)),
      model(checkpoint, stream),
      engine(model, options, stream),
      media(checkpoint, stream) {
  if (!drafter_path.empty()) {
    drafter_checkpoint.emplace(Checkpoint::open(drafter_path));
    check_drafter_fits(drafter_checkpoint->config(), drafter_checkpoint->path().string(),
                       model.config());
    drafter.emplace(*drafter_checkpoint, stream);
  }
}

}  // namespace assay::conformance
