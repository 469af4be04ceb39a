// SPDX-License-Identifier: Apache-2.0
// A mutant: a mistake of the catalogue as something that can be run.
//
// Its label is the catalogue's, with a colon and the place or the value where one entry makes
// several ("M-03:eps=1e-8"). What it changes is one tap, or a few, each rewritten by a wrong
// formula of its own from earlier taps and weights while the model runs; the run goes on from what
// it wrote. So the reference carries no hook for any of them, and one mutant serves the kill table,
// the power of a verdict and the diagnosis of a failure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/records/tap.h"

namespace assay::conformance {

class Scene;

// Writes what the mistake computes over the tap's values. Throws NotHere where this model or case
// lacks what the mistake is made of.
using Formula = std::function<void(Scene& scene, Tap& tap)>;
struct NotHere {};

// Which layers of those that have the tap.
enum class Layers { kAll, kSliding, kFull, kFirst, kMiddle, kLast };

struct Rewrite {
  std::string tap;  // a pattern of the catalogue
  Formula formula;
  Layers layers = Layers::kAll;
};

struct Mutant {
  std::string label;
  std::string what;  // empty: the catalogue's words
  std::vector<Rewrite> rewrites;
  std::string expected;                  // a pattern: where it must be caught first
  std::vector<std::string> hidden = {};  // patterns of taps that a program of this kind cannot show
  std::string reason = {};               // why `expected` is not the catalogue's tap
};

// "M-03" of "M-03:eps=1e-8".
std::string_view mistake_label(std::string_view label);

// What the mistake is, in words: the mutant's own, or the catalogue's.
std::string describe(const Mutant& mutant);

// A mutant of one formula at one tap, which is also where it is expected.
Mutant mutant(std::string label, std::string tap, Formula formula, std::string what = "",
              Layers layers = Layers::kAll);

// All of them, family by family, in a fixed order.
const std::vector<Mutant>& all_mutants();
const Mutant* find_mutant(std::string_view label);

// Why an entry of the catalogue has no mutant; empty where it has one or is no mistake.
std::string_view why_not_expressible(std::string_view mistake);

}  // namespace assay::conformance
