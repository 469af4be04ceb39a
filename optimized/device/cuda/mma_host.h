// SPDX-License-Identifier: Apache-2.0
// mma.h on a CPU.
#pragma once

namespace assay::simt {

void host_mma_m16n8k16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]);
void host_load_matrices(unsigned (&r)[4], const void* row, bool transposed);

}  // namespace assay::simt
