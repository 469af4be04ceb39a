// SPDX-License-Identifier: Apache-2.0
#include "reference/family/convert/write_tensors.h"

namespace assay {

std::vector<StoredTensor> descriptions_of(std::span<const PlannedTensor> tensors) {
  std::vector<StoredTensor> descriptions;
  for (const PlannedTensor& tensor : tensors) {
    descriptions.push_back(tensor.stored);
  }
  return descriptions;
}

std::size_t bytes_of(std::span<const PlannedTensor> tensors) {
  std::size_t bytes = 0;
  for (const PlannedTensor& tensor : tensors) {
    bytes += tensor_bytes(tensor.stored);
  }
  return bytes;
}

void write_tensors(const Checkpoint& checkpoint, std::span<const PlannedTensor> tensors,
                   const AppendBytes& append, ConvertProgress& progress,
                   const ConvertListener& listener) {
  for (const PlannedTensor& tensor : tensors) {
    progress.tensor = tensor.stored.name;
    write_values(checkpoint, tensor, [&](std::span<const std::byte> bytes) {
      append(bytes);
      progress.bytes_done += bytes.size();
      if (listener) {
        listener(progress);
      }
    });
  }
}

}  // namespace assay
