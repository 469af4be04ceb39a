// SPDX-License-Identifier: Apache-2.0
// A function for each row, rows divided among the threads.
#pragma once

#include <cstddef>

#include "optimized/device/threads.h"

namespace assay::cpu {

template <class Work>
void each_row(const Threads& threads, std::size_t rows, const Work& work) {
  threads.split(rows, 1, [&](std::size_t first, std::size_t end) {
    for (std::size_t t = first; t < end; ++t) {
      work(t);
    }
  });
}

}  // namespace assay::cpu
