// SPDX-License-Identifier: Apache-2.0
#include "conformance/generation/generation.h"

#include <algorithm>
#include <random>
#include <span>

#include "conformance/compare/harness.h"
#include "conformance/generation/speculation.h"

namespace assay::conformance {
namespace {

class Generator {
 public:
  Generator(Session& session, const GenerationOptions& options,
            const std::function<void(const GeneratedToken&)>& on_token)
      : session_(session), options_(options), on_token_(on_token), random_(options.seed) {}

  Generation run(const Logits& last) {
    if (options_.max_tokens == 0) {
      return done_;
    }
    add_choice(last);
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

  void add_choice(const Logits& rows) {
    const auto row = row_of(rows, 0, 1);
    add(choose(candidates(row, options_.sampling), uniform_), row);
  }

  void add(std::int32_t id, std::span<const double> logits) {
    done_.tokens.push_back({id, log_probability(logits, id)});
    done_.stopped = std::ranges::find(options_.stop, id) != options_.stop.end();
    on_token_(done_.tokens.back());
  }

  void step() {
    Logits next;
    require_ok(session_.extend({done_.tokens.back().id}, next), "", "session");
    add_choice(next);
  }

  // One draft and one pass of the model over it; what comes after the end is taken back too.
  void round() {
    const Round round = speculate(session_, done_.tokens.back().id, options_.draft_steps,
                                  options_.sampling, uniform_);
    if (options_.taps != nullptr) {
      emit_round(round, rounds_, *options_.taps);
    }
    ++rounds_;
    const auto& [accepted, bonus] = round.acceptance;
    std::size_t added = 0;
    for (; added <= accepted && !ended(); ++added) {
      add(added < accepted ? round.drafted[added] : bonus,
          row_of(round.rows, added, round.rows.rows));
    }
    done_.drafted += round.drafted.size();
    done_.accepted += std::min(added, accepted);
    if (added <= accepted) {
      require_ok(session_.take_back(accepted + 1 - added), "", "session");
    }
  }

  Session& session_;
  const GenerationOptions& options_;
  const std::function<void(const GeneratedToken&)>& on_token_;
  std::mt19937_64 random_;
  Uniform uniform_ = [this] { return static_cast<double>(random_() >> 11) * 0x1p-53; };
  std::size_t rounds_ = 0;
  Generation done_;
};

}  // namespace

Generation generate(Session& session, const Logits& last, const GenerationOptions& options,
                    const std::function<void(const GeneratedToken&)>& on_token) {
  return Generator(session, options, on_token).run(last);
}

}  // namespace assay::conformance
