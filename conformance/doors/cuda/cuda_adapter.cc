// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/cuda/cuda_adapter.h"

#include <algorithm>

#include "conformance/doors/cpu/cpu_model.h"
#include "conformance/doors/cpu/tap_bridge.h"
#include "conformance/doors/cuda/cuda_model.h"
#include "conformance/doors/media_items.h"
#include "conformance/doors/status_of.h"
#include "conformance/doors/text_requests.h"
#include "reference/family/config/profile.h"

namespace assay::conformance {
namespace {

class CudaAdapter : public Implementation {
 public:
  explicit CudaAdapter(std::string precision) : precision_(std::move(precision)) {}

  Capabilities capabilities() const override {
    Capabilities can;
    can.name = "cuda";
    can.precision = precision_;
    can.chunked_prefill = true;
    can.executed_on = cuda_executed_on();
    return can;
  }

  Status load(const std::string& checkpoint, const std::string& drafter) override {
    model_.reset();  // a failed load leaves nothing that could be run
    path_ = checkpoint;
    cuda::Options options = cuda_options_of(precision_);
    options.skip_shared = false;
    return status_of([&] { model_ = std::make_unique<CudaModel>(checkpoint, drafter, options); });
  }

  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override {
    if (!model_) {
      return {StatusCode::kHarnessError, "no checkpoint was loaded"};
    }
    if (!input.requests.empty()) {
      return status_of([&] { answer_requests(input.requests, path_, taps); });
    }
    return status_of([&] { run_case(input, options, taps); });
  }

 private:
  void run_case(const CaseInput& input, const RunOptions& options, TapListener& taps) {
    const Profile profile = parse_profile(options.profile);
    if (profile.text_gelu != TextGelu::kTanh) {
      throw NotBuilt("the CUDA engine has no table of GELU");
    }
    if (std::ranges::any_of(input.media, is_raw)) {
      throw NotBuilt("the CUDA engine has no encoders");
    }
    const TextConfig& config = model_->model.config();
    cuda::Options how = model_->engine.options();
    how.vision_mask = profile.text_vision_mask;
    cuda::Engine engine(model_->model, how, model_->stream);
    const PromptTokens prompt = prompt_tokens(input, config);
    const auto calls = calls_of(prompt.types, options.prefill_chunk, config.vision_blocks);
    std::size_t longest = 1;
    for (const auto& [first, end] : calls) {
      longest = std::max(longest, end - first);
    }
    cuda::KvCache cache = engine.new_cache(prompt.ids.size(), longest);
    CpuTaps bridge(taps, prompt.ids.size(), calls.size() > 1);
    for (const auto& [first, end] : calls) {
      bridge.begin_call(first);
      engine.forward(engine_tokens(prompt, first, end, config.hidden_size), cache, end - first,
                     &bridge);
    }
    bridge.finish();
  }

  std::string precision_;
  std::string path_;
  std::unique_ptr<CudaModel> model_;
};

}  // namespace

std::string cuda_executed_on() {
  const cuda::DeviceFacts facts = cuda::device_facts();
  return facts.is_host ? "host twin" : facts.name;
}

std::unique_ptr<Implementation> make_cuda_engine(const std::string& precision) {
  return std::make_unique<CudaAdapter>(precision);
}

}  // namespace assay::conformance
