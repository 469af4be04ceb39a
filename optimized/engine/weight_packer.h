// SPDX-License-Identifier: Apache-2.0
// Weights of an encoder, packed in one piece of memory: first all are named, then the memory is
// taken and filled.
//
//   y = clip( clip(x, input_min, input_max) W^T, output_min, output_max )       a clipped linear
//   map
//
// E2B and E4B store four bounds for each clipped map; elsewhere they are infinite and clamp
// nothing.  Spec: multimodal 3.1.
#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "optimized/device/pages.h"
#include "optimized/device/threads.h"
#include "optimized/engine/model.h"
#include "optimized/packing/load_weight.h"
#include "optimized/packing/packed_weight.h"
#include "reference/family/checkpoint/checkpoint.h"

namespace assay::cpu {

struct ClippedWeight {
  WeightView weight;
  float input_min = -std::numeric_limits<float>::infinity();
  float input_max = std::numeric_limits<float>::infinity();
  float output_min = -std::numeric_limits<float>::infinity();
  float output_max = std::numeric_limits<float>::infinity();
};

class WeightPacker {
 public:
  // Keeps references to both.
  WeightPacker(const Checkpoint& checkpoint, const Threads& threads)
      : checkpoint_(checkpoint), threads_(threads) {}

  const Checkpoint& checkpoint() const { return checkpoint_; }
  // All of a tensor, row-major.
  Vector values(const std::string& name) const;
  float scalar(const std::string& name) const;

  // Views are filled in by pack(): they must not move until then.
  void matrix(const std::string& name, WeightView& to);
  // `<module>.weight`. Throws Error where its activations are quantised by stored scales.
  void linear(const std::string& module, WeightView& to);
  // A matrix that is not stored as one.
  void floats(Vector values, std::size_t rows, WeightView& to);
  // `<at>linear.weight` and, where `clipped`, `<at>input_min`, …. Throws Error as linear() does,
  // and where a lower bound lies above its upper one.
  void clipped(const std::string& at, bool clipped, ClippedWeight& to);

  // What the views point to.
  Pages pack();

 private:
  struct Floats {
    Vector values;
    WeightView* to;
  };
  const Checkpoint& checkpoint_;
  const Threads& threads_;
  std::vector<std::pair<WeightRows, WeightView*>> stored_;
  std::vector<Floats> floats_;
};

}  // namespace assay::cpu
