// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/call_inputs.h"

#include <string>

#include "reference/family/base/error.h"

namespace assay::cuda {

void CallInputs::reserve(std::size_t bytes) {
  if (bytes > memory_.size()) {
    memory_ = Memory(bytes);
  }
}

void CallInputs::upload(Stream& stream) {
  if (bytes_.size() > memory_.size()) {
    throw Error("call: got " + std::to_string(bytes_.size()) +
                " bytes of inputs, expected at most " + std::to_string(memory_.size()));
  }
  stream.upload(memory_.data(), bytes_.data(), bytes_.size());
}

DeviceKind put_kind(CallInputs& inputs, const cpu::KindOfCall& kind, std::size_t end, int pieces) {
  DeviceKind on_device;
  on_device.rotation = {inputs.put(kind.cos), inputs.put(kind.sin), static_cast<int>(kind.half)};
  on_device.first_key = static_cast<int>(kind.first_key);
  on_device.source = kind.source;
  on_device.pieces = kind.visible.size() == 1 ? pieces : 1;
  std::vector<QueryKeys> rows;
  std::vector<std::uint8_t> masks;
  for (const cpu::VisibleKeys& visible : kind.visible) {
    QueryKeys row{static_cast<int>(visible.first), static_cast<int>(visible.last), -1};
    if (visible.mask != nullptr) {
      row.mask = static_cast<int>(masks.size());
      for (std::size_t s = kind.first_key; s < end; ++s) {
        const bool known = s >= visible.mask_first && s >= visible.first && s <= visible.last;
        masks.push_back(known ? visible.mask[s - visible.mask_first] : 0);
      }
    }
    rows.push_back(row);
  }
  on_device.visible = inputs.put(rows);
  on_device.masks = inputs.put(masks);
  return on_device;
}

}  // namespace assay::cuda
