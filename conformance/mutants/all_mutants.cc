// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "conformance/catalogue/catalogue.h"
#include "conformance/mutants/families.h"

namespace assay::conformance {

std::string_view mistake_label(std::string_view label) {
  return label.substr(0, label.find(':'));
}

std::string describe(const Mutant& mutant) {
  if (!mutant.what.empty()) {
    return mutant.what;
  }
  const Mistake* mistake = find_mistake(mistake_label(mutant.label));
  return mistake == nullptr ? mutant.label : std::string(mistake->mistake);
}

Mutant mutant(std::string label, std::string tap, Formula formula, std::string what,
              Layers layers) {
  return {std::move(label), std::move(what), {{tap, std::move(formula), layers}}, tap};
}

const std::vector<Mutant>& all_mutants() {
  static const std::vector<Mutant> kAll = [] {
    std::vector<Mutant> all;
    const auto add = [&all](Mutants some) { std::ranges::move(some, std::back_inserter(all)); };
    for (const auto family : {norm_mutants, embedding_mutants, rope_mutants, attention_mutants,
                              mask_mutants, expert_mutants, output_mutants, mechanical_mutants}) {
      add(family());
    }
    add(in_drafter(all));
    for (const auto family : {drafter_mutants, vision_mutants, vision_layer_mutants, audio_mutants,
                              audio_layer_mutants, preprocessing_mutants, prompting_mutants}) {
      add(family());
    }
    return all;
  }();
  return kAll;
}

const Mutant* find_mutant(std::string_view label) {
  const auto found = std::ranges::find(all_mutants(), label, &Mutant::label);
  return found == all_mutants().end() ? nullptr : &*found;
}

}  // namespace assay::conformance
