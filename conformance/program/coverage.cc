// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/coverage.h"

#include <ostream>

#include "conformance/catalogue/catalogue.h"
#include "conformance/report/collapse.h"

namespace assay::program {
namespace {

conformance::TapContext context_of(const ModelConfig& model, const ModelConfig* drafter,
                                   std::size_t draft_steps) {
  conformance::TapContext context;
  for (std::size_t i = 0; i < model.text.layers.size(); ++i) {
    context.layer_owns_kv.push_back(!model.text.shares_kv(i));
  }
  context.ple = model.text.hidden_size_per_layer_input > 0;
  context.moe = model.text.moe.has_value();
  if (drafter != nullptr && drafter->drafter) {
    context.draft_steps = draft_steps;
    context.drafter_layers = drafter->text.layers.size();
    context.centroids = drafter->drafter->use_ordered_embeddings;
  }
  return context;
}

}  // namespace

void Coverage::note(const conformance::Golden& golden, const ModelConfig& model,
                    const ModelConfig* drafter, conformance::CaseResult& result) {
  const std::size_t steps = golden.input.draft ? golden.input.draft->steps : 0;
  auto& of_checkpoint = checkpoints_[result.checkpoint];
  for (const std::string& tap : conformance::expand_taps(context_of(model, drafter, steps))) {
    if (golden.truth.has(tap)) {
      of_checkpoint.compared.insert(tap);
      continue;
    }
    std::string reason = golden.reason_not_provided(tap);
    if (reason.empty()) {
      reason = "not in this golden";
    }
    result.not_provided.emplace_back(tap, reason);
    auto& known = of_checkpoint.absent[tap];
    known = known.empty() || known == "not in this golden" ? reason : known;
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
      for (const auto& group : conformance::collapse_layers(names)) {
        out << "  not provided  " << group.label << ": " << reason << "\n";
      }
    }
  }
}

}  // namespace assay::program
