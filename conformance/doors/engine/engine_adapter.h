// SPDX-License-Identifier: Apache-2.0
// An engine of optimized/ as an implementation under test: text models, drafters, and the encoders
// before them. `Kind`: engine_model.h.
//
// Its taps lack what fusions do not leave: scores and probabilities of attention. It takes no
// forced values.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "conformance/doors/engine/engine_coder.h"
#include "conformance/doors/engine/engine_model.h"
#include "conformance/doors/engine/engine_taps.h"
#include "conformance/doors/engine/engine_tokens.h"
#include "conformance/doors/status_of.h"
#include "conformance/doors/text_requests.h"
#include "conformance/interface/implementation.h"
#include "reference/family/config/profile.h"

namespace assay::conformance {

template <class Kind>
class EngineAdapter : public Implementation {
 public:
  explicit EngineAdapter(std::string precision) : precision_(std::move(precision)) {}

  Capabilities capabilities() const override {
    Capabilities can;
    can.name = Kind::kName;
    can.precision = precision_;
    can.chunked_prefill = true;
    can.drafting = true;
    can.executed_on = Kind::executed_on();
    can.shows = [](const std::string& tap) { return !stays_in_kernel(tap); };
    return can;
  }

  Status load(const std::string& checkpoint, const std::string& drafter) override {
    model_.reset();  // a failed load leaves nothing that could be run
    path_ = checkpoint;
    auto options = Kind::options_of(precision_);
    options.skip_shared = false;
    return status_of(
        [&] { model_ = std::make_unique<EngineModel<Kind>>(checkpoint, drafter, options); });
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
    EngineTaps bridge(taps, input.ids.size(), false);
    EngineCoder coder(model_->media, config, profile, &bridge);
    return encode_media(input, token_types_of(input, config.text), config.processor, coder);
  }

  // The tokens of a call whose media were encoded.
  static void emit_prompt(const PromptTokens& prompt, std::size_t first, std::size_t end,
                          EngineTaps& bridge) {
    const cpu::TapScope tap(&bridge, "text.");
    tap.integers("ids_expanded", std::span(prompt.ids).subspan(first, end - first));
    tap.integers("mm_type", std::span(prompt.types).subspan(first, end - first));
  }

  void run_case(const CaseInput& input, const RunOptions& options, TapListener& taps) {
    const Profile profile = parse_profile(options.profile);
    if (profile.text_gelu != TextGelu::kTanh) {
      throw NotBuilt(std::string("the ") + Kind::kTitle + " engine has no table of GELU");
    }
    const TextConfig& config = model_->model.config();
    auto how = model_->engine.options();
    how.vision_mask = profile.text_vision_mask;
    typename Kind::Engine engine(model_->model, how, model_->runner);
    const bool raw = std::ranges::any_of(input.media, is_raw);
    const PromptTokens prompt = prompt_tokens(raw ? encoded(input, profile, taps) : input, config);
    const auto calls = calls_of(prompt.types, options.prefill_chunk, config.vision_blocks);
    std::size_t longest = 1;
    for (const auto& [first, end] : calls) {
      longest = std::max(longest, end - first);
    }
    // Drafts show all keys, so that the rings keep them.
    typename Kind::KvCache cache =
        engine.new_cache(prompt.ids.size(), input.draft ? prompt.ids.size() : longest);
    typename Kind::ForwardResult last;
    EngineTaps bridge(taps, prompt.ids.size(), calls.size() > 1);
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
      typename Kind::Drafter drafter(*model_->drafter, model_->model, how, model_->runner);
      EngineTaps direct(taps, prompt.ids.size(), false);
      drafter.draft(
          cache, input.draft->token, prompt.positions.back() + 1,
          Kind::last_row(engine, last.final_norm), input.draft->steps,
          input.draft->standard_window ? cpu::DraftWindow::kStandard : cpu::DraftWindow::kLastKeys,
          &direct);
    }
  }

  std::string precision_;
  std::string path_;
  std::unique_ptr<EngineModel<Kind>> model_;
};

}  // namespace assay::conformance
