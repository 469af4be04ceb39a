// SPDX-License-Identifier: Apache-2.0
// The asynchronous copies of the executor; kernels call what copy.h has.
#pragma once

namespace assay::simt {

void copy_async(void* shared, const void* global, unsigned bytes, unsigned filled);
void copy_commit();
void copy_wait(unsigned groups_left);

}  // namespace assay::simt
