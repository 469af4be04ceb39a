// SPDX-License-Identifier: Apache-2.0
// The CUDA engine, as the doors' code for engines asks for it (doors/engine/engine_model.h).
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "conformance/doors/cuda/cuda_adapter.h"
#include "optimized/engine/cuda/drafter.h"
#include "optimized/engine/cuda/media_encoder.h"

namespace assay::conformance {

struct CudaKind {
  using Runner = cuda::Stream;
  using Options = cuda::Options;
  using Model = cuda::Model;
  using Engine = cuda::Engine;
  using MediaEncoder = cuda::MediaEncoder;
  using KvCache = cuda::KvCache;
  using Drafter = cuda::Drafter;
  using ForwardResult = cuda::ForwardResult;

  static constexpr const char* kName = "cuda";
  static constexpr const char* kTitle = "CUDA";

  // How keys and values can be kept.
  static constexpr std::array kCaches = {std::pair("f32", cuda::KeyType::kF32),
                                         std::pair("bf16", cuda::KeyType::kBf16)};

  static Runner make_runner() { return cuda::Stream(); }
  static std::string executed_on() { return cuda_executed_on(); }
  // "f32" or "bf16".
  static Options options_of(const std::string& precision) {
    cuda::Options options;
    options.round_to_bf16 = precision == "bf16";
    return options;
  }

  template <class Number>
  static std::vector<Number> values(const Engine& engine, const cuda::DeviceRows& rows) {
    const std::vector<float> floats = engine.values(rows);
    return {floats.begin(), floats.end()};
  }
  static std::vector<float> last_row(const Engine& engine, const cuda::DeviceRows& rows) {
    return engine.values(rows.from(rows.rows - 1, 1));
  }
};

}  // namespace assay::conformance
