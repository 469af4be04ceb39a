// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <span>

#include "conformance/doors/cpu/cpu_model.h"
#include "conformance/doors/cuda/cuda_adapter.h"
#include "conformance/doors/cuda/cuda_model.h"
#include "conformance/doors/status_of.h"
#include "reference/family/base/error.h"
#include "reference/family/config/profile.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kPrefill = 512;  // tokens of a call
constexpr std::size_t kGrowth = 4096;  // tokens of context to begin with

cuda::Options options_of(const std::string& precision, const SessionRequest& request) {
  cuda::Options options = cuda_options_of(precision);
  options.vision_mask = parse_profile(request.profile).text_vision_mask;
  options.skip_shared = request.skip_shared;
  if (!request.cache.empty() && request.cache != "f32" && request.cache != "bf16") {
    throw Error("cache: got '" + request.cache + "', expected f32 or bf16");
  }
  options.cache = request.cache == "bf16" ? cuda::KeyType::kBf16 : cuda::KeyType::kF32;
  return options;
}

cpu::Tokens text_tokens(const std::vector<std::int32_t>& ids, std::size_t position) {
  cpu::Tokens tokens;
  tokens.ids = ids;
  tokens.types.assign(ids.size(), cpu::TokenType::kText);
  tokens.valid.assign(ids.size(), true);
  tokens.positions.resize(ids.size());
  std::iota(tokens.positions.begin(), tokens.positions.end(), static_cast<std::int32_t>(position));
  return tokens;
}

class CudaSession : public Session {
 public:
  CudaSession(const std::string& precision, const SessionRequest& request)
      : model_(request.checkpoint, request.drafter, options_of(precision, request)),
        cache_(model_.engine.new_cache(kGrowth, kPrefill)) {}

  Status begin(const PromptRequest& prompt, std::vector<std::int32_t>& expanded,
               Logits& last) override {
    return status_of([&] {
      if (!prompt.media.empty()) {
        throw NotBuilt("the CUDA engine has no encoders");
      }
      CaseInput input;
      input.ids = prompt.ids;
      prompt_ = prompt_tokens(input, model_.model.config());
      expanded = tokens_ = prompt_.ids;
      cache_ = model_.engine.new_cache(std::max(kGrowth, 2 * tokens_.size()), kPrefill);
      last = feed_prompt(1);
      last_call_ = 1;
    });
  }

  Status extend(const std::vector<std::int32_t>& tokens, Logits& rows) override {
    return status_of([&] {
      make_room(tokens.size());
      rows = rows_of(
          model_.engine.forward(text_tokens(tokens, tokens_.size()), cache_, tokens.size()));
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

  Status draft(std::int32_t, std::size_t, std::vector<std::int32_t>&) override {
    return {StatusCode::kNotSupported, "the CUDA engine has no drafter"};
  }

  std::size_t length() const override { return cache_.length(); }

 private:
  Logits rows_of(const cuda::ForwardResult& result) {
    const auto values = model_.engine.values(result.logits);
    return {static_cast<std::size_t>(result.logits.rows), {values.begin(), values.end()}};
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
        last = rows_of(result);
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
      model_.engine.forward(text_tokens({ids.begin(), ids.end()}, first), cache_, 0);
    }
  }

  CudaModel model_;
  cuda::KvCache cache_;
  PromptTokens prompt_;               // as it began
  std::vector<std::int32_t> tokens_;  // it, and what came after
  std::size_t last_call_ = 0;
};

}  // namespace

std::unique_ptr<Session> make_cuda_engine_session(const std::string& precision,
                                                  const SessionRequest& request) {
  return std::make_unique<CudaSession>(precision, request);
}

}  // namespace assay::conformance
