// SPDX-License-Identifier: Apache-2.0
// The last lane to come computes for all: each gives the address of its registers.
#include "optimized/device/cuda/mma_host.h"

#include <cstring>

#include "optimized/device/cuda/machine.h"
#include "optimized/device/cuda/tensor_core.h"
#include "optimized/device/cuda/watcher.h"

namespace assay::simt {
namespace {

constexpr unsigned kAll = 0xffffffffu;

template <class T>
T* given(std::uint64_t slot) {
  return reinterpret_cast<T*>(static_cast<std::uintptr_t>(slot));
}

std::uint64_t give(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address);
}

struct Product {
  float* d;
  const unsigned* a;
  const unsigned* b;
};

void put_pair(std::uint16_t* to, unsigned pair) {
  to[0] = static_cast<std::uint16_t>(pair & 0xffffu);
  to[1] = static_cast<std::uint16_t>(pair >> 16);
}

void multiply(const std::uint64_t* lanes) {
  std::uint16_t a[16][16], b[8][16];  // B by columns
  for (unsigned l = 0; l < kLanes; ++l) {
    const auto* product = given<const Product>(lanes[l]);
    const unsigned g = l / 4, t = l % 4;
    for (unsigned i = 0; i < 4; ++i) {
      put_pair(&a[g + 8 * (i % 2)][2 * t + 8 * (i / 2)], product->a[i]);
    }
    for (unsigned i = 0; i < 2; ++i) {
      put_pair(&b[g][2 * t + 8 * i], product->b[i]);
    }
  }
  for (unsigned l = 0; l < kLanes; ++l) {
    const auto* product = given<const Product>(lanes[l]);
    const unsigned g = l / 4, t = l % 4;
    for (unsigned i = 0; i < 4; ++i) {
      const std::uint16_t* row = a[g + 8 * (i / 2)];
      const std::uint16_t* column = b[2 * t + i % 2];
      product->d[i] = tensor_core_sum(TensorCore::kAmpere, row, column, product->d[i]);
    }
  }
}

struct Load {
  unsigned* registers;
  const unsigned char* row;
  bool transposed;
};

void load(const std::uint64_t* lanes) {
  for (unsigned l = 0; l < kLanes; ++l) {
    const auto* mine = given<const Load>(lanes[l]);
    for (unsigned i = 0; i < 4; ++i) {
      std::uint16_t pair[2];
      for (unsigned half = 0; half < 2; ++half) {
        const unsigned row = mine->transposed ? 2 * (l % 4) + half : l / 4;
        const unsigned column = mine->transposed ? l / 4 : 2 * (l % 4) + half;
        const auto* from = given<const Load>(lanes[8 * i + row])->row;
        std::memcpy(&pair[half], from + 2 * column, 2);
      }
      mine->registers[i] = pair[0] | unsigned{pair[1]} << 16;
    }
  }
}

}  // namespace

void host_mma_m16n8k16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  const Product product{d, a, b};
  warp_exchange(kAll, give(&product), "mma_m16n8k16", Memory::kUnordered, multiply);
}

void host_load_matrices(unsigned (&r)[4], const void* row, bool transposed) {
  if (!in_shared_memory(row) || reinterpret_cast<std::uintptr_t>(row) % 16 != 0) {
    fail_here("load_matrices: expected a row in shared memory at a multiple of 16 bytes");
  }
  if (watcher != nullptr) {
    watcher->touch(row, 16, false, Proxy::kGeneric);
  }
  const Load mine{r, static_cast<const unsigned char*>(row), transposed};
  warp_exchange(kAll, give(&mine), transposed ? "load_matrices<true>" : "load_matrices<false>",
                Memory::kUnordered, load);
}

}  // namespace assay::simt
