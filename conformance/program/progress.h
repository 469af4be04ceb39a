// SPDX-License-Identifier: Apache-2.0
// How far a long piece of writing is, on stderr: one line that moves on a terminal, else a line
// every ten per cent.
#pragma once

#include <cstddef>

namespace assay::program {

class Progress {
 public:
  void show(std::size_t bytes_done, std::size_t bytes_total);

 private:
  std::size_t last_percent_ = 101;
};

}  // namespace assay::program
