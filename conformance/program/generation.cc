// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/generation.h"

#include <algorithm>
#include <random>
#include <span>

#include "conformance/program/implementations.h"

namespace assay::program {
namespace {

using conformance::Logits;
using conformance::Session;

std::span<const double> row(const Logits& logits, std::size_t r) {
  return std::span(logits.values).subspan(r * logits.vocabulary(), logits.vocabulary());
}

class Generator {
 public:
  Generator(Session& session, const GenerationOptions& options,
            const std::function<void(const GeneratedToken&)>& show)
      : session_(session), options_(options), show_(show), random_(options.seed) {}

  Generation run(const Logits& last) {
    if (options_.max_tokens == 0) {
      return done_;
    }
    add(choose(row(last, 0)), row(last, 0));
    while (!ended()) {
      if (options_.draft_steps > 0) {
        round();
      } else {
        step();
      }
    }
    return std::move(done_);
  }

 private:
  bool ended() const { return done_.stopped || done_.tokens.size() >= options_.max_tokens; }

  double uniform() {
    constexpr double kUnit = 0x1p-53;
    return static_cast<double>(random_() >> 11) * kUnit;
  }

  std::int32_t choose(std::span<const double> logits) {
    const auto kept = candidates(logits, options_.sampling);
    return kept.size() == 1 ? kept.front().id : draw(kept, uniform());
  }

  void add(std::int32_t id, std::span<const double> logits) {
    done_.tokens.push_back({id, log_probability(logits, id)});
    done_.stopped = std::ranges::find(options_.stop, id) != options_.stop.end();
    show_(done_.tokens.back());
  }

  void step() {
    Logits next;
    throw_unless_ok(session_.extend({done_.tokens.back().id}, next), "");
    add(choose(row(next, 0)), row(next, 0));
  }

  // One draft and one pass of the model over it.
  void round() {
    const std::int32_t newest = done_.tokens.back().id;
    std::vector<std::int32_t> drafted;
    throw_unless_ok(session_.draft(newest, options_.draft_steps, drafted), "");
    std::vector<std::int32_t> tokens = {newest};
    tokens.insert(tokens.end(), drafted.begin(), drafted.end());
    Logits rows;
    throw_unless_ok(session_.extend(tokens, rows), "");
    done_.drafted += drafted.size();
    std::size_t kept = 0;
    for (bool agreed = true; agreed && !ended(); ++kept) {
      const auto logits = row(rows, kept);
      const std::int32_t id =
          kept < drafted.size() ? answer_to(drafted[kept], logits, agreed) : choose(logits);
      agreed = agreed && kept < drafted.size();
      done_.accepted += agreed ? 1 : 0;
      add(id, logits);
    }
    // Row 0 belongs to the newest token; `kept` rows were used, so as many tokens stay.
    throw_unless_ok(session_.take_back(tokens.size() - kept), "");
  }

  // The model's token in place of a draft; `agreed` tells whether it is the draft.
  std::int32_t answer_to(std::int32_t drafted, std::span<const double> logits, bool& agreed) {
    auto kept = candidates(logits, options_.sampling);
    if (kept.size() == 1) {
      agreed = kept.front().id == drafted;
      return kept.front().id;
    }
    const auto own = std::ranges::find(kept, drafted, &Candidate::id);
    const double probability = own == kept.end() ? 0 : own->probability;
    agreed = uniform() < probability;
    if (agreed) {
      return drafted;
    }
    if (own != kept.end()) {
      kept.erase(own);
    }
    for (Candidate& candidate : kept) {
      candidate.probability /= 1 - probability;
    }
    return draw(kept, uniform());
  }

  Session& session_;
  const GenerationOptions& options_;
  const std::function<void(const GeneratedToken&)>& show_;
  std::mt19937_64 random_;
  Generation done_;
};

}  // namespace

Generation generate(Session& session, const Logits& last, const GenerationOptions& options,
                    const std::function<void(const GeneratedToken&)>& show) {
  return Generator(session, options, show).run(last);
}

}  // namespace assay::program
