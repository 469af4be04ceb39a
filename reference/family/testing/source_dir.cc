// SPDX-License-Identifier: Apache-2.0
#include "reference/family/testing/source_dir.h"

namespace assay {

std::string source_dir() {
  return ASSAY_SOURCE_DIR;
}

}  // namespace assay
