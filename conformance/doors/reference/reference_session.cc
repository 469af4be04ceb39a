// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/reference_session.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "conformance/doors/reference/case_tokens.h"
#include "conformance/doors/reference/media_coder.h"
#include "conformance/doors/status_of.h"
#include "reference/model/drafter.h"
#include "reference/model/generate.h"
#include "reference/model/media_encoder.h"

namespace assay::conformance {
namespace {

using namespace assay::ASSAY_REFERENCE;  // NOLINT(google-build-using-namespace): this precision

class ReferenceSession : public Session {
 public:
  explicit ReferenceSession(const SessionRequest& request)
      : profile_(parse_profile(request.profile)),
        checkpoint_(Checkpoint::open(request.checkpoint)),
        model_(checkpoint_, with_choices({}, profile_), profile_.text_vision_mask),
        cache_(model_.new_cache()),
        reserve_(Drafter::rollback_reserve(request.draft_steps)),
        window_(request.standard_window ? DraftWindow::kStandard : DraftWindow::kLastKeys) {
    if (!request.drafter.empty()) {
      drafter_checkpoint_.emplace(Checkpoint::open(request.drafter));
      drafter_.emplace(*drafter_checkpoint_, model_);
    }
  }

  Status begin(const PromptRequest& prompt, std::vector<std::int32_t>& expanded,
               Logits& last) override {
    return status_of([&] {
      const TokenChunk tokens = tokens_of(expand(prompt), model_.config());
      expanded = tokens.ids;
      cache_ = model_.new_cache(reserve_);
      Taps silent;
      const auto result = model_.forward(tokens, cache_, silent);
      const std::size_t end = result.logits.shape()[0] - 1;
      last = rows_of(one_row(result.logits, end));
      hidden_ = one_row(result.final_norm, end);
      position_ = tokens.positions.back() + 1;
    });
  }

  Status extend(const std::vector<std::int32_t>& tokens, Logits& rows) override {
    return status_of([&] {
      Taps silent;
      const auto result =
          model_.forward(text_chunk(tokens, static_cast<std::size_t>(position_)), cache_, silent);
      rows = rows_of(result.logits);
      hidden_ = result.final_norm;
      position_ += static_cast<std::int32_t>(tokens.size());
    });
  }

  Status take_back(std::size_t count) override {
    return status_of([&] {
      const std::size_t rows = hidden_.shape()[0];
      if (count >= rows) {
        throw Error("take_back: got " + std::to_string(count) + ", expected fewer than the " +
                    std::to_string(rows) + " tokens of the last call");
      }
      cache_.forget_from(cache_.length() - count);
      auto kept = make_tensor<T, D>({rows - count, hidden_.shape()[1]});
      std::copy_n(hidden_.begin(), kept.size(), kept.begin());
      hidden_ = kept;
      position_ -= static_cast<std::int32_t>(count);
    });
  }

  Status draft(std::int32_t token, std::size_t steps, std::vector<std::int32_t>& drafted) override {
    return status_of([&] {
      if (!drafter_) {
        throw Error("draft: got no drafter, expected one");
      }
      Taps silent;
      const auto hidden = one_row(hidden_, hidden_.shape()[0] - 1);
      drafted = drafter_->draft(cache_, token, position_, hidden, steps, window_, silent);
    });
  }

  std::size_t length() const override { return cache_.length(); }

 private:
  static Logits rows_of(const Tensor<T, V>& logits) {
    return {logits.shape()[0], std::vector<double>(logits.begin(), logits.end())};
  }

  CaseInput expand(const PromptRequest& prompt) const {
    const MediaEncoder encoder(checkpoint_, profile_);
    Taps silent;
    ReferenceCoder coder(encoder, silent);
    return expand_prompt(prompt, checkpoint_.config(), coder);
  }

  Profile profile_;
  Checkpoint checkpoint_;
  Transformer model_;
  KvCache cache_;
  std::size_t reserve_;
  DraftWindow window_;
  std::optional<Checkpoint> drafter_checkpoint_;
  std::optional<Drafter> drafter_;
  Tensor<T, D> hidden_;  // of the tokens of the last call
  std::int32_t position_ = 0;
};

}  // namespace

#ifdef ASSAY_FP64
std::unique_ptr<Session> make_reference_session_f64(const SessionRequest& request) {
  return std::make_unique<ReferenceSession>(request);
}
#else
std::unique_ptr<Session> make_reference_session_f32(const SessionRequest& request) {
  return std::make_unique<ReferenceSession>(request);
}
#endif

}  // namespace assay::conformance
