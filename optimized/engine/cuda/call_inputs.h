// SPDX-License-Identifier: Apache-2.0
// What a call tells a device: ids, angles, what each token sees. One piece of memory, uploaded at
// once, in an order that depends on the shape of the call alone: calls of one shape have each value
// at the same address, so that a list of launches serves them all.
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <vector>

#include "optimized/engine/call.h"
#include "optimized/kernels/attention_cuda.h"

namespace assay::cuda {

class CallInputs {
 public:
  void begin() { bytes_.clear(); }
  // The place that the values will have on the device. Null for none.
  template <class Value>
  const Value* put(const std::vector<Value>& values);
  // Brings all of it over, after `room` was made; places are those of put().
  void upload(Stream& stream);

  // Room for so many bytes. Places that were given before are lost when it grows.
  void reserve(std::size_t bytes);
  std::size_t bytes() const { return memory_.size(); }

 private:
  static constexpr std::size_t kAlign = 256;
  std::vector<std::byte> bytes_;
  Memory memory_;
};

template <class Value>
const Value* CallInputs::put(const std::vector<Value>& values) {
  if (values.empty()) {
    return nullptr;
  }
  const std::size_t at = bytes_.size();
  const std::size_t size = values.size() * sizeof(Value);
  bytes_.resize((at + size + kAlign - 1) / kAlign * kAlign);
  std::memcpy(bytes_.data() + at, values.data(), size);
  return reinterpret_cast<const Value*>(static_cast<const std::byte*>(memory_.data()) + at);
}

// What the layers of one kind see, on the device; the numbers are those of the host.
struct DeviceKind {
  Rotation rotation;
  const QueryKeys* visible = nullptr;
  const std::uint8_t* masks = nullptr;
  int first_key = 0;
  int pieces = 1;
  std::optional<std::size_t> source;
};

struct DeviceCall {
  std::size_t start = 0;
  std::size_t tokens = 0;
  const int* start_on_device = nullptr;
  const int* ids = nullptr;
  const int* is_soft = nullptr;
  const float* soft = nullptr;
  const float* per_layer_token = nullptr;  // [tokens, layers width], not scaled
  DeviceKind sliding, full;
  bool is_plain = true;  // neither masks nor soft-token embeddings: its shape is its length

  const DeviceKind& of(LayerKind kind) const {
    return kind == LayerKind::kSliding ? sliding : full;
  }
};

// One kind of layer; `pieces`: of the keys, where the call has a single token.
DeviceKind put_kind(CallInputs& inputs, const cpu::KindOfCall& kind, std::size_t end, int pieces);

}  // namespace assay::cuda
