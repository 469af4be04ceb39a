// SPDX-License-Identifier: Apache-2.0
// From scores to a token, on a device.
//
//   argmax          the first of the largest
//   largest         where the `count` largest of one row stand, largest first, ties to the lower
//                   index; at most 1024 of at most 16,384
//   sample          z / temperature, the top_k largest (ties at the threshold stay), softmax, the
//                   smallest prefix that reaches top_p; of it the first token, by descending
//                   probability and then by id, whose cumulative share exceeds u in [0, 1)
//   ordered_scores  scores of the rows of some centroids to the vocabulary: all other tokens get
//                   the smallest of them less one
//
// sample computes shares and their sums in fp64, in one order, so that every run draws alike; the
// definition is reference/family/sampling/sampler.h. A NaN is never drawn. Of ties at the threshold
// at most 512 beyond top_k stay, those of the lowest ids.
//
// Spec; RS-2 to RS-8.
#pragma once

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/device_rows_cuda.h"

namespace assay::cuda {

// The token of each row.
void argmax(Stream& stream, const DeviceRows& scores, int* token);

void largest(Stream& stream, const DeviceRows& scores, int count, int* order);

// Rows draw one token each, with u[row], which is on the device, so that a recorded step can draw
// again.
struct Sample {
  DeviceRows scores;
  float temperature = 1;  // 0: the first of the largest
  int top_k = 64;         // 1 to 1024
  float top_p = 0.95F;
  const double* u = nullptr;  // [rows]
  int* token = nullptr;       // [rows]
};
// Throws std::invalid_argument for an option out of range.
void sample(Stream& stream, const Sample& call);

struct OrderedScores {
  DeviceRows scored;            // [centroids that were chosen, rows of each]
  const int* chosen = nullptr;  // their centroids
  const int* tokens = nullptr;  // of the rows of all centroids
  DeviceRows logits;            // [1, vocabulary]
};
void ordered_scores(Stream& stream, const OrderedScores& call);

}  // namespace assay::cuda
