// SPDX-License-Identifier: Apache-2.0
// What the judge makes of a tap: the column `role` of data/taps.txt. Questions are asked by
// roles.h.
//
// Names are of taps beside it, in the same layer, step or item: attn.probs in the row of
// text.layer.{i}.attn.scores is text.layer.{i}.attn.probs.
#pragma once

#include <string_view>

namespace assay::conformance {

struct TapRole {
  enum class Kind {
    kReal,
    kInteger,        // compared by equality
    kByte,           // 0 to 255
    kSize,           // an integer that says how much is computed
    kMask,           // 1 where a query sees a key
    kChoice,         // indices, compared as a set
    kAngle,          // what honest programs compute in fp32 or in fp64
    kScores,         // before the mask
    kProbabilities,  // 0 where hidden
  };
  Kind kind = Kind::kReal;
  std::string_view from;  // kScores: their probabilities; kChoice: its scores, or another choice
  std::string_view
      nearest;              // kChoice: scores nearer to it than those, where a dump has them; or ""
  std::string_view until;   // kChoice: taps after which nothing depends on it, between blanks
  std::string_view input;   // a matrix product with it; or ""
  std::string_view slots;   // the choice whose order an axis has; or ""
  bool half_input = false;  // the sum is over half a row of the input
  bool last_choice = false;
  bool layer_input = false;  // rows that attention has not mixed yet
  bool logits = false;
  bool output = false;           // judged in 16 bits, too
  bool soft_embeddings = false;  // leaves an encoder
  // Derived: the scores of a choice, and those that are watched without it, too.
  bool scores_choice = false;
  bool watched = false;
};

}  // namespace assay::conformance
