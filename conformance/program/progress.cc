// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/progress.h"

#include <unistd.h>

#include <cstdio>

namespace assay::program {
namespace {

double gigabytes(std::size_t bytes) {
  return static_cast<double>(bytes) / 1e9;
}

}  // namespace

void Progress::show(std::size_t bytes_done, std::size_t bytes_total) {
  const std::size_t percent = bytes_total == 0 ? 100 : bytes_done * 100 / bytes_total;
  if (percent == last_percent_) {
    return;
  }
  last_percent_ = percent;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (terminal || percent % 10 == 0) {
    std::fprintf(stderr, "%s%3zu %%  %.2f of %.2f GB%s", terminal ? "\r" : "", percent,
                 gigabytes(bytes_done), gigabytes(bytes_total),
                 terminal && percent < 100 ? "" : "\n");
  }
}

}  // namespace assay::program
