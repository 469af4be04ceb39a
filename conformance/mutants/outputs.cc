// SPDX-License-Identifier: Apache-2.0
// Mistakes of the output: M-23, M-130 to M-133, P54.
#include <cmath>

#include "conformance/mutants/families.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

Formula cap_of(double cap) {
  return [cap](Scene& s, Tap& tap) {
    only(s.text().final_logit_softcapping.has_value());
    tap.values = map(s.named("text.logits_raw").values, [cap](double x) { return capped(x, cap); });
  };
}

void add_products(Mutants& all) {
  all.push_back(mutant("M-23", "text.logits_raw", [](Scene& s, Tap& tap) {
    tap.values = scaled(tap.values, std::sqrt(static_cast<double>(s.text().hidden_size)));
  }));
  all.push_back(mutant(
      "M-23:inverse", "text.logits_raw",
      [](Scene& s, Tap& tap) {
        tap.values = scaled(tap.values, 1 / std::sqrt(static_cast<double>(s.text().hidden_size)));
      },
      "the logits are divided by sqrt(D)"));
  all.push_back(mutant("M-132", "text.logits_raw", [](Scene&, Tap& tap) {
    const std::size_t width = tap.shape.back();
    for (std::size_t i = 0; i < tap.values.size(); ++i) {  // some other matrix's products
      tap.values[i] =
          std::sin(static_cast<double>(i % width) * 12.9898 + static_cast<double>(i / width));
    }
  }));
}

void add_caps(Mutants& all) {
  all.push_back(mutant("M-130", "text.logits", [](Scene& s, Tap& tap) {
    only(s.text().final_logit_softcapping.has_value());
    tap.values = s.named("text.logits_raw").values;
  }));
  all.push_back(mutant("M-131", "text.logits", cap_of(50), "the cap of the logits is 50"));
  all.push_back(mutant("M-131:cap=20", "text.logits", cap_of(20), "the cap of the logits is 20"));
  all.push_back(mutant(
      "M-131:early", "text.logits",
      [](Scene& s, Tap& tap) {
        only(s.text().final_logit_softcapping.has_value());
        const double cap = *s.text().final_logit_softcapping;
        const Numbers n =
            map(s.named("text.final_norm").values, [cap](double x) { return capped(x, cap); });
        tap.values = linear(n, s.model_weight("embed_tokens.weight"));
      },
      "the cap comes before the matmul"));
  all.push_back(mutant(
      "P54", "text.logits",
      [](Scene& s, Tap& tap) {
        only(s.text().final_logit_softcapping.has_value());
        const double cap = *s.text().final_logit_softcapping;
        tap.values = map(tap.values, [cap](double x) { return capped(x, cap); });
      },
      "the cap of the logits is applied twice"));
  all.push_back(mutant(
      "P54:unscaled", "text.logits",
      [](Scene& s, Tap& tap) {
        only(s.text().final_logit_softcapping.has_value());
        const double cap = *s.text().final_logit_softcapping;
        tap.values =
            map(s.named("text.logits_raw").values, [cap](double x) { return std::tanh(x / cap); });
      },
      "the cap's tanh is not multiplied by the cap"));
}

}  // namespace

Mutants output_mutants() {
  Mutants all;
  add_products(all);
  add_caps(all);
  all.push_back(mutant("M-133", "text.logits", [](Scene& s, Tap& tap) {
    only(!s.text().suppress_tokens.empty());
    const std::size_t width = tap.shape.back();
    for (std::size_t i = 0; i < tap.values.size(); ++i) {
      for (const std::int32_t id : s.text().suppress_tokens) {
        tap.values[i] = static_cast<std::size_t>(id) == i % width ? -1e30 : tap.values[i];
      }
    }
  }));
  return all;
}

}  // namespace assay::conformance
