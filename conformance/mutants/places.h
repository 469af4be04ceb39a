// SPDX-License-Identifier: Apache-2.0
// The steps of a layer that mistakes go through one by one: its norms, its products, the clipped
// products of the encoders.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conformance/mutants/formulas.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {

// A step: its tap, the tap that goes in, its weight ("": none), by their names in the layer.
struct Place {
  std::string tap;
  std::string input;
  std::string weight;
};

// Of a decoder layer. The norm after the feed-forward names no input: it reads the branches
// together, or the dense one alone (norm_input).
const std::vector<Place>& decoder_norms();
const std::vector<Place>& decoder_products();
const Tap& norm_input(const Scene& scene, const Place& norm);

// x normed with the weight of the place, into rows as wide as the tap's.
Numbers norm_at(const Scene& scene, const Place& norm, const Tap& x, const Tap& tap,
                const NormOptions& options);

// What a layer of an encoder reads: the one before it, or `first` ("vision.patch_embed").
const Tap& encoder_layer_in(const Scene& scene, const std::string& first);
// The same where the place names no input.
const Tap& encoder_input(const Scene& scene, const std::string& input, const std::string& first);

// Bounds of a clipped product, and what a mistake makes of them.
struct Bounds {
  double in_min, in_max, out_min, out_max;
};
using Clip = std::function<void(Bounds&)>;
constexpr double kOpen = 1e300;

// Every clipped product of a layer with other bounds. `weight` of a place ends before "input_min";
// expected at the first of them.
Mutant clip_mutant(const std::string& label, const std::string& layer,
                   const std::vector<Place>& products, const Clip& change,
                   const std::string& what = "");

}  // namespace assay::conformance
