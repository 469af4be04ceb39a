// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/target_size.h"

#include <algorithm>
#include <cmath>

#include "reference/family/base/error.h"

namespace assay {
namespace {

void check_arguments(ImageSize source, const PatchBudget& budget) {
  if (source.height == 0 || source.width == 0) {
    throw Error("image: size: got " + size_string(source) + ", expected at least one pixel");
  }
  if (budget.patch_size == 0 || budget.pooling_kernel_size == 0) {
    throw Error("image: patch size and pooling kernel: got 0, expected positive sizes");
  }
  if (budget.max_patches < budget.pooling_kernel_size * budget.pooling_kernel_size) {
    throw Error("image: patches: got at most " + std::to_string(budget.max_patches) +
                ", expected enough for one soft token");
  }
}

// The long side of an image whose short side is one soft token; all are integers below 2^53.
double long_side(double ratio, double unit, const PatchBudget& budget) {
  const std::size_t pool_area = budget.pooling_kernel_size * budget.pooling_kernel_size;
  const std::size_t soft_tokens = budget.max_patches / pool_area;
  return std::min(std::floor(ratio), static_cast<double>(soft_tokens)) * unit;
}

}  // namespace

ImageSize target_size(ImageSize source, const PatchBudget& budget) {
  check_arguments(source, budget);
  const auto height = static_cast<double>(source.height);
  const auto width = static_cast<double>(source.width);
  const auto unit = static_cast<double>(budget.patch_size * budget.pooling_kernel_size);
  const auto area = static_cast<double>(budget.max_patches * budget.patch_size * budget.patch_size);

  const double factor = std::sqrt(area / (height * width));
  double target_height = std::floor((factor * height) / unit) * unit;
  double target_width = std::floor((factor * width) / unit) * unit;
  if (target_height == 0 && target_width == 0) {
    throw Error("image: size: got " + size_string(source) + ", whose target size is 0 x 0");
  }
  if (target_height == 0) {
    target_height = unit;
    target_width = long_side(width / height, unit, budget);
  } else if (target_width == 0) {
    target_width = unit;
    target_height = long_side(height / width, unit, budget);
  }
  if (target_height * target_width > area) {
    throw Error("image: size: got " + size_string(source) + ", whose target size exceeds " +
                std::to_string(budget.max_patches) + " patches");
  }
  return {static_cast<std::size_t>(target_height), static_cast<std::size_t>(target_width)};
}

std::string size_string(ImageSize size) {
  return std::to_string(size.height) + " x " + std::to_string(size.width);
}

}  // namespace assay
