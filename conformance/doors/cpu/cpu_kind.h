// SPDX-License-Identifier: Apache-2.0
// The CPU engine, as the doors' code for engines asks for it (doors/engine/engine_model.h).
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "optimized/engine/drafter.h"
#include "optimized/engine/engine.h"
#include "optimized/engine/media_encoder.h"

namespace assay::conformance {

// Of every engine that is made from now on.
void use_cpu_threads(int threads);

struct CpuKind {
  using Runner = cpu::Threads;
  using Options = cpu::Options;
  using Model = cpu::Model;
  using Engine = cpu::Engine;
  using MediaEncoder = cpu::MediaEncoder;
  using KvCache = cpu::KvCache;
  using Drafter = cpu::Drafter;
  using ForwardResult = cpu::ForwardResult;

  static constexpr const char* kName = "cpu";
  static constexpr const char* kTitle = "CPU";

  // How keys and values can be kept.
  static constexpr std::array kCaches = {std::pair("f32", cpu::CacheType::kF32),
                                         std::pair("bf16", cpu::CacheType::kBf16),
                                         std::pair("q8_0", cpu::CacheType::kQ8_0)};

  static Runner make_runner();
  static std::string executed_on() { return ""; }
  // "f32", "bf16" or "int8".
  static Options options_of(const std::string& precision);

  template <class Number>
  static std::vector<Number> values(const Engine&, const cpu::Rows& rows) {
    return rows.values<Number>();
  }
  static std::vector<float> last_row(const Engine&, const cpu::Rows& rows) {
    const float* const row = rows.row(rows.rows - 1);
    return {row, row + rows.columns};
  }
};

}  // namespace assay::conformance
