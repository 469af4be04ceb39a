// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/coverage.h"

#include <ostream>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/tap_context.h"
#include "conformance/report/collapse.h"

namespace assay::program {
namespace {

constexpr const char* kUnexplained = "not in this golden";

conformance::TapContext with_drafter(conformance::TapContext context, const ModelConfig* drafter,
                                     std::size_t draft_steps) {
  if (drafter != nullptr && drafter->drafter) {
    context.draft_steps = draft_steps;
    context.drafter_layers = drafter->text.layers.size();
    context.centroids = drafter->drafter->use_ordered_embeddings;
  }
  return context;
}

// A tap is compared if it is for any item: media.{k}.vision.pool.
std::string without_item(const std::string& tap) {
  const auto prefix = conformance::media_prefix(tap);
  return prefix.empty() ? tap : "media.{k}." + tap.substr(prefix.size());
}

// All names in one line: text.layer.{0-3}.{in, out}. A stranger's golden owes nobody a list.
std::string compact(const std::vector<std::string>& names, bool only_count) {
  const auto groups = conformance::collapse_layers(names);
  if (only_count && groups.size() > 1) {
    return groups.front().label + " and " + std::to_string(groups.size() - 1) +
           " more kinds of tap";
  }
  std::map<std::string, std::vector<std::string>> by_layers;
  for (const auto& group : groups) {
    const std::size_t brace = group.label.rfind("}.");
    const std::size_t cut = brace == std::string::npos ? 0 : brace + 2;
    by_layers[group.label.substr(0, cut)].push_back(group.label.substr(cut));
  }
  std::string text;
  for (const auto& [layers, kinds] : by_layers) {
    std::string list;
    for (const std::string& kind : kinds) {
      list += (list.empty() ? "" : ", ") + kind;
    }
    const bool several = kinds.size() > 1 && !layers.empty();
    text += (text.empty() ? "" : "; ") + layers + (several ? "{" + list + "}" : list);
  }
  return text;
}

}  // namespace

void Coverage::note(const conformance::Golden& golden, const ModelConfig& model,
                    const ModelConfig* drafter, conformance::CaseResult& result) {
  if (!golden.input.requests.empty()) {
    return;  // what a golden asks is what it compares
  }
  const std::size_t steps = golden.input.draft ? golden.input.draft->steps : 0;
  const auto context =
      with_drafter(conformance::context_of(model, golden.input.media), drafter, steps);
  auto& of_checkpoint = checkpoints_[result.checkpoint];
  for (const std::string& tap : conformance::expand_taps(context)) {
    if (golden.truth.has(tap)) {
      of_checkpoint.compared.insert(without_item(tap));
      continue;
    }
    std::string reason = golden.reason_not_provided(tap);
    if (reason.empty()) {
      reason = kUnexplained;
    }
    result.not_provided.emplace_back(tap, reason);
    auto& known = of_checkpoint.absent[without_item(tap)];
    known = known.empty() || known == kUnexplained ? reason : known;
  }
}

void Coverage::print(std::ostream& out) const {
  for (const auto& [name, taps] : checkpoints_) {
    std::map<std::string, std::vector<std::string>> by_reason;
    for (const auto& [tap, reason] : taps.absent) {
      if (taps.compared.count(tap) == 0) {
        by_reason[reason].push_back(tap);
      }
    }
    std::size_t absent = 0;
    for (const auto& [reason, names] : by_reason) {
      absent += names.size();
    }
    out << name << ": " << taps.compared.size() << " of " << taps.compared.size() + absent
        << " taps of the catalogue compared\n";
    for (const auto& [reason, names] : by_reason) {
      out << "  not provided  " << compact(names, reason == kUnexplained) << ": " << reason << "\n";
    }
  }
}

}  // namespace assay::program
