// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/cuda/cuda_adapter.h"

#include <algorithm>
#include <span>

#include "conformance/doors/cpu/cpu_model.h"
#include "conformance/doors/cpu/media_coder.h"
#include "conformance/doors/cpu/tap_bridge.h"
#include "conformance/doors/cuda/cuda_model.h"
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
    can.drafting = true;
    can.executed_on = cuda_executed_on();
    can.shows = [](const std::string& tap) { return !stays_in_kernel(tap); };
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
    if (input.draft && !model_->drafter) {
      return {StatusCode::kBadInput, "the case drafts tokens, but no drafter was given"};
    }
    return status_of([&] { run_case(input, options, taps); });
  }

 private:
  // Encoders run once, however the prompt is cut.
  CaseInput encoded(const CaseInput& input, const Profile& profile, TapListener& taps) {
    const ModelConfig& config = model_->checkpoint.config();
    CpuTaps bridge(taps, input.ids.size(), false);
    CpuCoder coder(model_->media, config, profile, &bridge);
    return encode_media(input, token_types_of(input, config.text), config.processor, coder);
  }

  // The tokens of a call whose media were encoded.
  static void emit_prompt(const PromptTokens& prompt, std::size_t first, std::size_t end,
                          CpuTaps& bridge) {
    const cpu::TapScope tap(&bridge, "text.");
    tap.integers("ids_expanded", std::span(prompt.ids).subspan(first, end - first));
    tap.integers("mm_type", std::span(prompt.types).subspan(first, end - first));
  }

  void run_case(const CaseInput& input, const RunOptions& options, TapListener& taps) {
    const Profile profile = parse_profile(options.profile);
    if (profile.text_gelu != TextGelu::kTanh) {
      throw NotBuilt("the CUDA engine has no table of GELU");
    }
    const TextConfig& config = model_->model.config();
    cuda::Options how = model_->engine.options();
    how.vision_mask = profile.text_vision_mask;
    cuda::Engine engine(model_->model, how, model_->stream);
    const bool raw = std::ranges::any_of(input.media, is_raw);
    const PromptTokens prompt = prompt_tokens(raw ? encoded(input, profile, taps) : input, config);
    const auto calls = calls_of(prompt.types, options.prefill_chunk, config.vision_blocks);
    std::size_t longest = 1;
    for (const auto& [first, end] : calls) {
      longest = std::max(longest, end - first);
    }
    // Drafts show all keys, so that the rings keep them.
    cuda::KvCache cache =
        engine.new_cache(prompt.ids.size(), input.draft ? prompt.ids.size() : longest);
    cuda::ForwardResult last;
    CpuTaps bridge(taps, prompt.ids.size(), calls.size() > 1);
    for (const auto& [first, end] : calls) {
      bridge.begin_call(first);
      if (raw) {
        emit_prompt(prompt, first, end, bridge);
      }
      last = engine.forward(engine_tokens(prompt, first, end, config.hidden_size), cache,
                            end - first, &bridge);
    }
    bridge.finish();
    if (input.draft) {
      cuda::Drafter drafter(*model_->drafter, model_->model, how, model_->stream);
      const auto hidden = engine.values(last.final_norm.from(last.final_norm.rows - 1, 1));
      CpuTaps direct(taps, prompt.ids.size(), false);
      drafter.draft(
          cache, input.draft->token, prompt.positions.back() + 1, hidden, input.draft->steps,
          input.draft->standard_window ? cpu::DraftWindow::kStandard : cpu::DraftWindow::kLastKeys,
          &direct);
    }
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
