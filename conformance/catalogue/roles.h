// SPDX-License-Identifier: Apache-2.0
// What the judge asks about a tap, answered by its row of the catalogue.
//
// Names and patterns are taken alike. A name that is no tap is a real tensor: no question about it
// is answered with yes, or with a name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/catalogue/catalogue.h"

namespace assay::conformance {

const TapRole& role_of(std::string_view tap);
Stage stage_of(std::string_view tap);
bool is_audio(std::string_view tap);  // of audio clips, not of images

bool is_mask(std::string_view tap);
bool is_angle(std::string_view tap);
// "text.mask.local", "text.mask.global".
const std::vector<std::string>& mask_taps();

// Attention scores, recorded before the mask, and what softmax makes of them.
bool is_scores(std::string_view tap);
bool is_probabilities(std::string_view tap);
std::string probabilities_of(std::string_view scores_tap);

// A choice is a set of indices; moe.topk_index, centroid_index, candidate_ids, token.
bool is_choice(std::string_view tap);
// The tap with the scores a choice is made from; "" when the choice follows from another.
std::string scores_of_choice(std::string_view tap);
// Scores between those and the choice, which a dump may have, too; "": none.
std::string nearest_scores_of_choice(std::string_view tap);
bool is_scores_of_choice(std::string_view tap);
// Choices and their scores that are watched even where a dump lacks them.
bool is_watched(std::string_view tap);
// The choice whose order an axis of the tap has, as moe.topk_weight; or "".
std::string choice_of_slots(std::string_view tap);
// Once this tap is replaced, nothing that follows depends on the choice any more.
bool ends_choice(std::string_view choice, std::string_view tap);

struct ProductInput {
  std::string tap;    // its rows are what is summed over
  bool half = false;  // or half of each
};
std::optional<ProductInput> input_of_product(std::string_view tap);

// The first tap of a kind, as a pattern.
std::string first_tap(TapRole::Kind kind);

}  // namespace assay::conformance
