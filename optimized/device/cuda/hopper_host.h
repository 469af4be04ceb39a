// SPDX-License-Identifier: Apache-2.0
// hopper.h on a CPU.
#pragma once

#include <cstdint>

namespace assay::simt {

struct HostTensorMap {
  const std::uint16_t* base;
  unsigned rows, columns, row_stride, box_rows;
};

unsigned shared_offset(const void* address);

void host_mbarrier_init(unsigned long long* barrier, unsigned arrivals);
void host_mbarrier_arrive(unsigned long long* barrier, unsigned bytes);
void host_mbarrier_wait(unsigned long long* barrier, unsigned parity);
void host_load_tile(void* to, const HostTensorMap* map, unsigned long long* barrier, int column,
                    int row);
void host_fence_for_async();
struct HostProduct {
  unsigned long long a, b;    // descriptors
  const unsigned* registers;  // of A; null: the descriptor counts
  unsigned columns;
  bool transposed;  // B
  bool add;
};
void host_wgmma(float* d, const HostProduct& product);
void host_wgmma_commit();
void host_wgmma_wait(unsigned groups_left);

}  // namespace assay::simt
