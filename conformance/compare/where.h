// SPDX-License-Identifier: Apache-2.0
// Where an error sits, said of the failing taps of a result:
//
//   rows        which are wrong and what they have in common: from the window's width on, one id,
//               the rows of one image, the last
//   the step    since which dumped tap, which taps in between the dump lacks, and the mistakes of
//               the catalogue that live there
//   other data  the values of another tap, of the row before or after, the embeddings of other ids
#pragma once

#include "conformance/compare/verdict.h"
#include "conformance/interface/implementation.h"
#include "conformance/records/golden.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

// What a prompt has beside its ids.
struct PromptFacts {
  std::size_t window = 0;  // keys that a row of a sliding layer sees; 0: not known, or none
};

// `f64` has the checkpoint loaded; null: no checkpoint, then the golden's masks tell.
PromptFacts prompt_facts(Implementation* f64, const Golden& golden);

// Adds to the failing taps of `result`. `steps`: where errors entered, by replay.
void say_where(const Golden& golden, const TapSet& dump, const PromptFacts& facts,
               CaseResult& result);

// Whether a tap's rows are made of ids alone.
bool is_of_ids(const std::string& tap);

// Which ids the rows of an embedding belong to, where they are not the case's: "embeddings of other
// ids: 2 17 5, the case has 2 9 5"; "" where they cannot be told. Runs `f64` on the vocabulary.
std::string other_ids(Implementation& f64, const Golden& golden, const Tap& got,
                      std::size_t vocabulary);

// "4-10 of 11, from the window's width on".
std::string describe_wrong_rows(const TapResult& tap, const CaseInput& input,
                                const PromptFacts& facts);

}  // namespace assay::conformance
