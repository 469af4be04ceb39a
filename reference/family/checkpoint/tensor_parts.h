// SPDX-License-Identifier: Apache-2.0
// The tensors of a Hugging Face directory under the names that this folder uses, before they become
// weights: of a quantised weight there are several, its packed values, its scales, its shape.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/container.h"

namespace assay {

struct TensorPart {
  const Container* file = nullptr;
  const StoredTensor* tensor = nullptr;

  std::string place() const { return file->label() + ": " + printable(tensor->name); }
};

using TensorParts = std::map<std::string, TensorPart, std::less<>>;

}  // namespace assay
