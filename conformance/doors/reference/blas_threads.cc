// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/reference_adapter.h"

extern "C" void openblas_set_num_threads(int threads);

namespace assay::conformance {

void use_blas_threads(int threads) {
  openblas_set_num_threads(threads);
}

}  // namespace assay::conformance
