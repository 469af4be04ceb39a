// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "conformance/doors/cpu/cpu_adapter.h"
#include "conformance/doors/cpu/cpu_kind.h"
#include "conformance/doors/engine/engine_session.h"
#include "optimized/device/features.h"
#include "optimized/device/probes.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kProbed = std::size_t{1} << 30;  // bytes that a probe of reading reads

// A conversation, and what it costs the machine.
class CpuSession : public EngineSession<CpuKind>, private Meter {
 public:
  using EngineSession::EngineSession;

  Meter* meter() override { return this; }

  MachineRates machine() override {
    const cpu::Threads& threads = loaded().runner;
    const auto rates = cpu::arithmetic_rates(threads);
    return {cpu::machine_features(), threads.count(), rates.fma, rates.bf16_dot, rates.int8_dot};
  }
  double read_rate() override {
    const cpu::Model& model = loaded().model;
    return cpu::read_rate(model.weight_memory(), std::min(model.weight_bytes(), kProbed),
                          loaded().runner);
  }
  ModelFacts facts() const override {
    const cpu::Model& model = loaded().model;
    const auto bytes = static_cast<double>(model.weight_bytes());
    return {model.weight_type(), bytes, static_cast<double>(model.huge_bytes()) / bytes,
            static_cast<double>(cache().bytes())};
  }
  Work take_work() override {
    const auto work = loaded().engine.take_work();
    return {work.fma, work.bf16_dot, work.int8_dot, work.bytes};
  }
};

}  // namespace

std::unique_ptr<Session> make_cpu_session(const std::string& precision,
                                          const SessionRequest& request) {
  return std::make_unique<CpuSession>(precision, request);
}

}  // namespace assay::conformance
