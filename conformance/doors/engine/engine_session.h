// SPDX-License-Identifier: Apache-2.0
// A conversation with an engine of optimized/. `Kind`: engine_model.h.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "conformance/doors/engine/engine_coder.h"
#include "conformance/doors/engine/engine_model.h"
#include "conformance/doors/engine/engine_tokens.h"
#include "conformance/doors/status_of.h"
#include "conformance/interface/session.h"
#include "reference/family/config/profile.h"

namespace assay::conformance {

template <class Kind>
class EngineSession : public Session {
 public:
  EngineSession(const std::string& precision, const SessionRequest& request)
      : profile_(parse_profile(request.profile)),
        model_(request.checkpoint, request.drafter, options_of(precision, request)),
        cache_(model_.engine.new_cache(kGrowth, kPrefill)),
        window_(request.standard_window ? cpu::DraftWindow::kStandard
                                        : cpu::DraftWindow::kLastKeys) {
    if (model_.drafter) {
      drafter_.emplace(*model_.drafter, model_.model, options_of(precision, request),
                       model_.runner);
    }
  }

  Status begin(const PromptRequest& prompt, std::vector<std::int32_t>& expanded,
               Logits& last) override {
    return status_of([&] {
      const ModelConfig& config = model_.checkpoint.config();
      EngineCoder coder(model_.media, config, profile_, nullptr);
      prompt_ = prompt_tokens(expand_prompt(prompt, config, coder), config.text);
      expanded = tokens_ = prompt_.ids;
      cache_ = model_.engine.new_cache(std::max(kGrowth, 2 * tokens_.size()), kPrefill);
      last = feed_prompt(1);
      last_call_ = 1;
    });
  }

  Status extend(const std::vector<std::int32_t>& tokens, Logits& rows) override {
    return status_of([&] {
      make_room(tokens.size());
      const auto result =
          model_.engine.forward(cpu::text_tokens(tokens, tokens_.size()), cache_, tokens.size());
      keep(result, rows);
      tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
      last_call_ = tokens.size();
    });
  }

  Status take_back(std::size_t count) override {
    return status_of([&] {
      if (count >= last_call_) {
        throw Error("take_back: got " + std::to_string(count) + ", expected fewer than the " +
                    std::to_string(last_call_) + " tokens of the last call");
      }
      cache_.forget_from(cache_.length() - count);
      tokens_.resize(tokens_.size() - count);
      last_call_ -= count;
    });
  }

  Status draft(std::int32_t token, std::size_t steps, std::vector<std::int32_t>& drafted) override {
    return status_of([&] {
      if (!drafter_) {
        throw Error("draft: got no drafter, expected one");
      }
      const std::size_t width = model_.model.config().hidden_size;
      drafted = drafter_->draft(cache_, token, static_cast<std::int32_t>(tokens_.size()),
                                std::span(hidden_).subspan((last_call_ - 1) * width, width), steps,
                                window_);
    });
  }

  std::size_t length() const override { return cache_.length(); }
  std::string executed_on() const override { return Kind::executed_on(); }

 protected:
  EngineModel<Kind>& loaded() { return model_; }
  const EngineModel<Kind>& loaded() const { return model_; }
  const typename Kind::KvCache& cache() const { return cache_; }

 private:
  static constexpr std::size_t kPrefill = 512;  // tokens of a call
  static constexpr std::size_t kGrowth = 4096;  // tokens of context to begin with

  static typename Kind::Options options_of(const std::string& precision,
                                           const SessionRequest& request) {
    auto options = Kind::options_of(precision);
    options.vision_mask = parse_profile(request.profile).text_vision_mask;
    options.skip_shared = request.skip_shared;
    if (!request.cache.empty()) {
      options.cache = cache_of(request.cache);
    }
    return options;
  }

  static auto cache_of(const std::string& name) {
    std::string names;
    for (const auto& [known, type] : Kind::kCaches) {
      if (name == known) {
        return type;
      }
      names += (names.empty() ? "" : ", ") + std::string(known);
    }
    throw Error("cache: got '" + name + "', expected one of " + names);
  }

  // The results of a call, on the host: `rows`, and the norms that a draft may begin with.
  void keep(const typename Kind::ForwardResult& result, Logits& rows) {
    rows = {static_cast<std::size_t>(result.logits.rows),
            Kind::template values<double>(model_.engine, result.logits)};
    hidden_ = Kind::template values<float>(model_.engine, result.final_norm);
  }

  // The prompt into an empty cache; the logits of its last `rows` tokens, at most one.
  Logits feed_prompt(std::size_t rows) {
    const TextConfig& config = model_.model.config();
    Logits last;
    for (const auto& [first, end] : calls_of(prompt_.types, kPrefill, config.vision_blocks)) {
      const std::size_t asked = end == prompt_.ids.size() ? rows : 0;
      const auto result = model_.engine.forward(
          engine_tokens(prompt_, first, end, config.hidden_size), cache_, asked);
      if (asked > 0) {
        keep(result, last);
      }
    }
    return last;
  }

  // A conversation that outgrows its cache is computed again in one of twice the size.
  void make_room(std::size_t more) {
    if (cache_.length() + more <= cache_.context()) {
      return;
    }
    cache_ = model_.engine.new_cache(2 * (cache_.length() + more), kPrefill);
    feed_prompt(0);
    for (std::size_t first = prompt_.ids.size(); first < tokens_.size(); first += kPrefill) {
      const std::size_t end = std::min(tokens_.size(), first + kPrefill);
      const auto ids = std::span(tokens_).subspan(first, end - first);
      model_.engine.forward(cpu::text_tokens({ids.begin(), ids.end()}, first), cache_, 0);
    }
  }

  Profile profile_;
  EngineModel<Kind> model_;
  typename Kind::KvCache cache_;
  cpu::DraftWindow window_;
  std::optional<typename Kind::Drafter> drafter_;
  PromptTokens prompt_;               // as it began
  std::vector<std::int32_t> tokens_;  // it, and what came after
  // The final norms of the last call [tokens, hidden_size]: a draft begins with that of its last
  // token.
  std::vector<float> hidden_;
  std::size_t last_call_ = 0;
};

}  // namespace assay::conformance
