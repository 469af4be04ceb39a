// SPDX-License-Identifier: Apache-2.0
// From scores to a token, on a device.
//
//   argmax          the first of the largest
//   largest         where the `count` largest of one row stand, largest first, ties to the lower
//                   index; at most 1024 of at most 16,384
//   ordered_scores  scores of the rows of some centroids to the vocabulary: all other tokens get
//                   the smallest of them less one
//
// Spec.
#pragma once

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/device_rows_cuda.h"

namespace assay::cuda {

// The token of each row.
void argmax(Stream& stream, const DeviceRows& scores, int* token);

void largest(Stream& stream, const DeviceRows& scores, int count, int* order);

struct OrderedScores {
  DeviceRows scored;            // [centroids that were chosen, rows of each]
  const int* chosen = nullptr;  // their centroids
  const int* tokens = nullptr;  // of the rows of all centroids
  DeviceRows logits;            // [1, vocabulary]
};
void ordered_scores(Stream& stream, const OrderedScores& call);

}  // namespace assay::cuda
