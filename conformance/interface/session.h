// SPDX-License-Identifier: Apache-2.0
// An implementation that answers: one growing sequence with its caches.
//
// Plain data and statuses, as in implementation.h. The caller chooses the tokens; the session only
// computes logits, so that sampling, stopping and speculation are the same for everybody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/interface/case.h"
#include "conformance/interface/meter.h"
#include "conformance/interface/status.h"

namespace assay::conformance {

// What a session is opened with.
struct SessionRequest {
  std::string checkpoint;
  std::string drafter;  // folder; empty: none
  std::size_t draft_steps = 0;
  std::string profile = "REF";
  bool standard_window = false;  // of drafts: false: the last W + 1 keys (HF); true: s > p - W
  std::string cache =
      {};  // "f32", "bf16", "q8_0": how keys and values are kept; empty: as it likes
  bool skip_shared = true;  // false: a prompt runs every layer for every token
};

struct PromptRequest {
  std::vector<std::int32_t> ids;        // with one placeholder token for each item of media
  std::vector<MediaItem> media;         // the k-th of a kind fills the k-th placeholder of the kind
  std::vector<std::int32_t> stamp_ids;  // the tokens 0 … 9, ':' and space; empty: the released ones
};

// Row-major [rows, vocabulary], soft-capped.
struct Logits {
  std::size_t rows = 0;
  std::vector<double> values;

  std::size_t vocabulary() const { return rows == 0 ? 0 : values.size() / rows; }
};

class Session {
 public:
  virtual ~Session() = default;

  // Begins a sequence. Gives the prompt with its placeholders expanded, and the last row.
  virtual Status begin(const PromptRequest& prompt, std::vector<std::int32_t>& expanded,
                       Logits& last) = 0;
  // Appends tokens; a row for each of them.
  virtual Status extend(const std::vector<std::int32_t>& tokens, Logits& rows) = 0;
  // Takes back the last `count` tokens; the first of the last extend() stays.
  virtual Status take_back(std::size_t count) = 0;
  // Tokens that a drafter expects after `token`, which is chosen but not appended yet.
  virtual Status draft(std::int32_t token, std::size_t steps,
                       std::vector<std::int32_t>& drafted) = 0;

  virtual std::size_t length() const = 0;  // tokens in the caches

  virtual Meter* meter() { return nullptr; }  // null: it does not measure itself

  // What computes, where that is to be said beside an answer or a rate.
  virtual std::string executed_on() const { return {}; }
};

}  // namespace assay::conformance
