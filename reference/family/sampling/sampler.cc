// SPDX-License-Identifier: Apache-2.0
#include "reference/family/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "reference/family/base/error.h"

namespace assay {
namespace {

struct Scored {
  std::int32_t id = 0;
  double z = 0;
};

// Larger logits first, lower ids first among equals.
bool before(const Scored& a, const Scored& b) {
  return a.z != b.z ? a.z > b.z : a.id < b.id;
}

void check(const SamplingOptions& options) {
  if (!(options.temperature >= 0) || !std::isfinite(options.temperature)) {
    throw Error("temperature: got " + std::to_string(options.temperature) + ", expected 0 or more");
  }
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    throw Error("top_p: got " + std::to_string(options.top_p) +
                ", expected more than 0, at most 1");
  }
}

void check(std::span<const double> logits) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i])) {
      throw Error("logits[" + std::to_string(i) + "]: got nan, expected a number");
    }
  }
}

std::vector<Scored> allowed(std::span<const double> logits,
                            const std::vector<std::int32_t>& suppress) {
  check(logits);
  std::vector<Scored> scored;
  scored.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    scored.push_back({static_cast<std::int32_t>(i), logits[i]});
  }
  for (const std::int32_t id : suppress) {
    if (id >= 0 && static_cast<std::size_t>(id) < scored.size()) {
      scored[static_cast<std::size_t>(id)].z = -std::numeric_limits<double>::infinity();
    }
  }
  std::erase_if(scored, [](const Scored& s) { return std::isinf(s.z) && s.z < 0; });
  if (scored.empty()) {
    throw Error("logits: got nothing that may be chosen, expected at least one token");
  }
  return scored;
}

// Sorted, and cut to the k largest with all that equal the k-th.
void keep_top_k(std::vector<Scored>& scored, std::size_t k) {
  std::ranges::sort(scored, before);
  if (k == 0 || k >= scored.size()) {
    return;
  }
  const double threshold = scored[k - 1].z;
  const auto end =
      std::ranges::find_if(scored.begin() + static_cast<std::ptrdiff_t>(k), scored.end(),
                           [=](const Scored& s) { return s.z < threshold; });
  scored.erase(end, scored.end());
}

std::vector<Candidate> softmax(const std::vector<Scored>& scored) {
  std::vector<Candidate> all;
  double sum = 0;
  for (const Scored& s : scored) {
    const double weight = s.z == scored.front().z ? 1.0 : std::exp(s.z - scored.front().z);
    all.push_back({s.id, weight});
    sum += weight;
  }
  for (Candidate& candidate : all) {
    candidate.probability /= sum;
  }
  return all;
}

// The smallest prefix that reaches top_p, made to sum to 1 again.
void keep_top_p(std::vector<Candidate>& all, double top_p) {
  if (top_p >= 1) {
    return;
  }
  double sum = 0;
  std::size_t kept = 0;
  while (kept < all.size() && sum < top_p) {
    sum += all[kept].probability;
    ++kept;
  }
  all.resize(kept);
  for (Candidate& candidate : all) {
    candidate.probability /= sum;
  }
}

}  // namespace

std::vector<Candidate> candidates(std::span<const double> logits, const SamplingOptions& options) {
  check(options);
  std::vector<Scored> scored = allowed(logits, options.suppress);
  if (options.temperature == 0) {
    return {{std::ranges::min_element(scored, before)->id, 1.0}};
  }
  for (Scored& s : scored) {
    s.z /= options.temperature;
  }
  keep_top_k(scored, options.top_k);
  std::vector<Candidate> kept = softmax(scored);
  keep_top_p(kept, options.top_p);
  return kept;
}

std::int32_t draw(const std::vector<Candidate>& candidates, double u) {
  double sum = 0;
  for (const Candidate& candidate : candidates) {
    sum += candidate.probability;
    if (sum > u) {
      return candidate.id;
    }
  }
  return candidates.back().id;  // the probabilities sum to a little less than 1
}

double log_probability(std::span<const double> logits, std::int32_t id) {
  check(logits);
  if (id < 0 || static_cast<std::size_t>(id) >= logits.size()) {
    throw Error("token " + std::to_string(id) + ": got no such logit, expected one of " +
                std::to_string(logits.size()));
  }
  const double largest = *std::ranges::max_element(logits);
  if (std::isinf(largest)) {
    throw Error("logits: got an infinity as the largest, expected a number");
  }
  double sum = 0;
  for (const double z : logits) {
    sum += std::exp(z - largest);
  }
  return logits[static_cast<std::size_t>(id)] - largest - std::log(sum);
}

Sampler::Sampler(SamplingOptions options, std::uint64_t seed)
    : options_(std::move(options)), random_(seed) {
  check(options_);
}

std::int32_t Sampler::next(std::span<const double> logits) {
  const auto kept = candidates(logits, options_);
  constexpr double kUnit = 0x1p-53;
  const double u = static_cast<double>(random_() >> 11) * kUnit;
  return draw(kept, u);
}

}  // namespace assay
