// SPDX-License-Identifier: Apache-2.0
// For tests: a golden target with its drafter.
#pragma once

#include <string>

#include "reference/family/testing/source_dir.h"
#include "reference/model/drafter.h"

namespace assay::ASSAY_REFERENCE {

struct Pair {
  explicit Pair(const std::string& name)
      : checkpoint(Checkpoint::open(source_dir() + "/golden/checkpoints/" + name)),
        draft_checkpoint(
            Checkpoint::open(source_dir() + "/golden/checkpoints/" + name + "-drafter")),
        target(checkpoint),
        drafter(draft_checkpoint, target) {}

  Checkpoint checkpoint;
  Checkpoint draft_checkpoint;
  Transformer target;
  Drafter drafter;
};

}  // namespace assay::ASSAY_REFERENCE
