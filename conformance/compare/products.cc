// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/products.h"

#include <algorithm>
#include <cmath>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/constants.h"

namespace assay::conformance {
namespace {

double terms_of(const Tap& tap, const Tap& input) {
  const bool rows = tap.shape.size() > 1 && !input.shape.empty();
  const std::size_t count = rows ? input.shape[0] : 1;
  return static_cast<double>(input.values.size()) /
         static_cast<double>(std::max<std::size_t>(count, 1));
}

// Experts: the second product sums over the half of the first's row that GELU leaves.
double half_row(const Tap& input) {
  return input.shape.empty() ? 1 : static_cast<double>(input.shape.back()) / 2;
}

}  // namespace

double product_step(const Tap& tap, const TapSet& taps) {
  const auto product = input_of_product(tap.name);
  const Tap* input = product ? taps.find(product->tap) : nullptr;
  if (input == nullptr) {
    return 0;
  }
  const double terms = product->half ? half_row(*input) : terms_of(tap, *input);
  return kProductStep * std::sqrt(1 + terms / kProductTerms);
}

}  // namespace assay::conformance
