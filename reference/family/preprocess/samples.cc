// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/samples.h"

#include <cmath>
#include <string>

#include "reference/family/base/error.h"

namespace assay {

void check_finite(std::span<const float> samples) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!std::isfinite(samples[i])) {
      throw Error("audio: sample " + std::to_string(i) + ": got " + std::to_string(samples[i]) +
                  ", expected a finite number");
    }
  }
}

}  // namespace assay
