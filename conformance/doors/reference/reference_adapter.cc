// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/reference_adapter.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "conformance/doors/prompt_tokens.h"
#include "conformance/doors/reference/case_tokens.h"
#include "conformance/doors/reference/media_coder.h"
#include "conformance/doors/reference/tap_bridge.h"
#include "conformance/doors/status_of.h"
#include "conformance/doors/text_requests.h"
#include "reference/model/drafter.h"
#include "reference/model/generate.h"

namespace assay::conformance {
namespace {

using namespace assay::ASSAY_REFERENCE;  // NOLINT(google-build-using-namespace): this precision

class ReferenceAdapter : public Implementation {
 public:
  Capabilities capabilities() const override {
    Capabilities can;
    can.name = "reference";
    can.precision = sizeof(Real) == sizeof(double) ? "f64" : "f32";
    can.forced_taps = true;
    can.chunked_prefill = true;
    can.drafting = true;
    return can;
  }

  Status load(const std::string& checkpoint, const std::string& drafter) override {
    return status_of([&] {
      drafter_.reset();  // a failed load leaves nothing that could be run
      checkpoint_.reset();
      auto target = Checkpoint::open(checkpoint);
      if (target.config().drafter) {
        throw Error(checkpoint + ": got a drafter, expected the target model");
      }
      if (!drafter.empty()) {
        drafter_.emplace(Checkpoint::open(drafter));
      }
      checkpoint_.emplace(std::move(target));
    });
  }

  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override {
    if (!checkpoint_) {
      return {StatusCode::kHarnessError, "no checkpoint was loaded"};
    }
    if (input.draft && !drafter_) {
      return {StatusCode::kBadInput, "the case drafts tokens, but no drafter was given"};
    }
    if (!input.requests.empty()) {
      return status_of(
          [&] { answer_requests(input.requests, checkpoint_->path().string(), taps); });
    }
    return status_of([&] { run_case(input, options, taps); });
  }

 private:
  // The prompt of a case, its media encoded.
  struct Prompt {
    TokenChunk tokens;
    bool had_media = false;  // other than soft-token embeddings
  };

  Prompt prompt_of(const CaseInput& input, const RunOptions& options, const Profile& profile,
                   TapListener& taps) const {
    const auto& config = checkpoint_->config();
    if (std::none_of(input.media.begin(), input.media.end(), is_raw)) {
      return {tokens_of(input, config.text), false};
    }
    DirectBridge bridge(taps);  // encoders run once, however the prompt is cut
    const MediaEncoder encoder(*checkpoint_, profile, options.rounding);
    ReferenceCoder coder(encoder, bridge);
    const auto encoded =
        encode_media(input, token_types_of(input, config.text), config.processor, coder);
    return {tokens_of(encoded, config.text), true};
  }

  void run_case(const CaseInput& input, const RunOptions& options, TapListener& taps) const {
    const Profile profile = parse_profile(options.profile);
    const Transformer model(*checkpoint_, with_choices(options.rounding, profile),
                            profile.text_vision_mask);
    const Prompt prompt = prompt_of(input, options, profile, taps);
    const TokenChunk& tokens = prompt.tokens;
    // Drafts see all keys with a mask over them, as the oracle's do: the ring keeps everything.
    KvCache cache = model.new_cache(input.draft ? tokens.ids.size() + 2 : 0);
    const auto calls = calls_of(tokens, options.prefill_chunk, model.config().vision_blocks);
    const auto last = calls.size() == 1 ? run_at_once(model, prompt, cache, taps)
                                        : run_in_calls(model, prompt, calls, cache, taps);
    if (input.draft) {
      run_draft(model, tokens, *input.draft, cache, last, taps);
    }
  }

  static ForwardResult run_at_once(const Transformer& model, const Prompt& prompt, KvCache& cache,
                                   TapListener& taps) {
    DirectBridge bridge(taps);
    TokenChunk tokens = prompt.tokens;
    if (prompt.had_media) {
      emit_prompt(tokens, bridge);
    }
    return model.forward(tokens, cache, bridge);
  }

  static ForwardResult run_in_calls(const Transformer& model, const Prompt& prompt,
                                    const std::vector<std::pair<std::size_t, std::size_t>>& calls,
                                    KvCache& cache, TapListener& taps) {
    JoiningBridge bridge(taps, prompt.tokens.ids.size());
    ForwardResult last;
    for (const auto& [first, end] : calls) {
      bridge.begin_call(first);
      TokenChunk tokens = slice(prompt.tokens, first, end);
      if (prompt.had_media) {
        emit_prompt(tokens, bridge);
      }
      last = model.forward(tokens, cache, bridge);
    }
    bridge.finish();
    return last;
  }

  void run_draft(const Transformer& model, const TokenChunk& tokens, const DraftRequest& request,
                 const KvCache& cache, const ForwardResult& last, TapListener& taps) const {
    const Drafter drafter(*drafter_, model);
    const auto hidden = one_row(last.final_norm, last.final_norm.shape()[0] - 1);
    DirectBridge bridge(taps);
    drafter.draft(cache, request.token, tokens.positions.back() + 1, hidden, request.steps,
                  request.standard_window ? DraftWindow::kStandard : DraftWindow::kLastKeys,
                  bridge);
  }

  std::optional<Checkpoint> checkpoint_;
  std::optional<Checkpoint> drafter_;
};

}  // namespace

#ifdef ASSAY_FP64
std::unique_ptr<Implementation> make_reference_f64() {
  return std::make_unique<ReferenceAdapter>();
}
#else
std::unique_ptr<Implementation> make_reference_f32() {
  return std::make_unique<ReferenceAdapter>();
}
#endif

}  // namespace assay::conformance
