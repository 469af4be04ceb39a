// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <optional>
#include <span>

#include "conformance/doors/cpu/cpu_adapter.h"
#include "conformance/doors/cpu/cpu_model.h"
#include "conformance/doors/cpu/media_coder.h"
#include "conformance/doors/status_of.h"
#include "optimized/device/features.h"
#include "optimized/device/probes.h"
#include "optimized/engine/drafter.h"
#include "reference/family/base/error.h"
#include "reference/family/config/profile.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kPrefill = 512;                  // tokens of a call
constexpr std::size_t kGrowth = 4096;                  // tokens of context to begin with
constexpr std::size_t kProbed = std::size_t{1} << 30;  // bytes that a probe of reading reads

cpu::Options options_of(const std::string& precision, const SessionRequest& request) {
  cpu::Options options;
  options.arithmetic = arithmetic_of(precision);
  options.vision_mask = parse_profile(request.profile).text_vision_mask;
  options.skip_shared = request.skip_shared;
  if (!request.cache.empty() && request.cache != "f32" && request.cache != "bf16") {
    throw Error("cache: got '" + request.cache + "', expected f32 or bf16");
  }
  options.cache = request.cache == "bf16" ? cpu::CacheType::kBf16 : cpu::CacheType::kF32;
  return options;
}

class CpuSession : public Session, private Meter {
 public:
  CpuSession(const std::string& precision, const SessionRequest& request)
      : profile_(parse_profile(request.profile)),
        model_(request.checkpoint, request.drafter, options_of(precision, request)),
        cache_(model_.engine.new_cache(kGrowth, kPrefill)),
        window_(request.standard_window ? cpu::DraftWindow::kStandard
                                        : cpu::DraftWindow::kLastKeys) {
    if (model_.drafter) {
      drafter_.emplace(*model_.drafter, model_.model, options_of(precision, request),
                       model_.threads);
    }
  }

  Status begin(const PromptRequest& prompt, std::vector<std::int32_t>& expanded,
               Logits& last) override {
    return status_of([&] {
      const ModelConfig& config = model_.checkpoint.config();
      CpuCoder coder(model_.media, config, profile_, nullptr);
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
          model_.engine.forward(text_tokens(tokens, tokens_.size()), cache_, tokens.size());
      rows = rows_of(result.logits);
      hidden_ = result.final_norm.values<float>();
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
  Meter* meter() override { return this; }

  MachineRates machine() override {
    const auto rates = cpu::arithmetic_rates(model_.threads);
    return {cpu::machine_features(), model_.threads.count(), rates.fma, rates.bf16_dot,
            rates.int8_dot};
  }
  double read_rate() override {
    return cpu::read_rate(model_.model.weight_memory(),
                          std::min(model_.model.weight_bytes(), kProbed), model_.threads);
  }
  ModelFacts facts() const override {
    const auto bytes = static_cast<double>(model_.model.weight_bytes());
    return {model_.model.weight_type(), bytes,
            static_cast<double>(model_.model.huge_bytes()) / bytes,
            static_cast<double>(cache_.bytes())};
  }
  Work take_work() override {
    const auto work = model_.engine.take_work();
    return {work.fma, work.bf16_dot, work.int8_dot, work.bytes};
  }

 private:
  static Logits rows_of(const cpu::Rows& rows) { return {rows.rows, rows.values<double>()}; }

  static cpu::Tokens text_tokens(const std::vector<std::int32_t>& ids, std::size_t position) {
    cpu::Tokens tokens;
    tokens.ids = ids;
    tokens.types.assign(ids.size(), cpu::TokenType::kText);
    tokens.valid.assign(ids.size(), true);
    tokens.positions.resize(ids.size());
    std::iota(tokens.positions.begin(), tokens.positions.end(),
              static_cast<std::int32_t>(position));
    return tokens;
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
        last = rows_of(result.logits);
        hidden_ = result.final_norm.values<float>();
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
      model_.engine.forward(text_tokens({tokens_.begin() + static_cast<std::ptrdiff_t>(first),
                                         tokens_.begin() + static_cast<std::ptrdiff_t>(end)},
                                        first),
                            cache_, 0);
    }
  }

  Profile profile_;
  CpuModel model_;
  cpu::KvCache cache_;
  cpu::DraftWindow window_;
  std::optional<cpu::Drafter> drafter_;
  PromptTokens prompt_;               // as it began
  std::vector<std::int32_t> tokens_;  // it, and what came after
  // The final norms of the last call [tokens, hidden_size]: a draft begins with that of its last
  // token.
  std::vector<float> hidden_;
  std::size_t last_call_ = 0;
};

}  // namespace

std::unique_ptr<Session> make_cpu_session(const std::string& precision,
                                          const SessionRequest& request) {
  return std::make_unique<CpuSession>(precision, request);
}

}  // namespace assay::conformance
