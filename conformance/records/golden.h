// SPDX-License-Identifier: Apache-2.0
// Golden files, version 1 (HDF5): what a case asks and what the truth is.
//
//   /inputs@decode_from       the position from which on the oracle fed one token at a time
//   /inputs/ids [T]           and token_types, positions, valid [T], media (golden_media.h), draft
//   /taps/<tap>/{hi, lo}      truth = hi + lo;  /taps/<tap>/value for discrete taps
//
// Only /inputs/ids and one tap are required. Files are untrusted: read_golden checks every count,
// shape, type and link before it reads, and throws assay::Error ("file: thing: got X, expected Y").
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

// What a golden says about one tap. `floors` keeps the attributes' names: floor_chain_f32,
// floor_row_f32, floor_chain_bf16, … : relative L2 of the worst honest run, of its worst row.
struct TapFloors {
  std::map<std::string, double> floors;
  double rms = 0;                    // 0 when the file does not say
  double agreement = 0;              // relative L2 between the oracles; 0 when there is one
  std::vector<std::string> oracles;  // who has this tap
  bool narrowed = false;             // the file has no lo: the truth is rounded to fp32
};

struct Golden {
  std::filesystem::path path;
  std::string case_name;   // the file's stem when the file does not say
  std::string checkpoint;  // name of its folder; empty when the file does not say
  std::string drafter;     // name of the drafter's folder, for drafter cases
  std::string oracle;      // "transformers 5.22.2, torch 2.13.0, fp64"
  std::string profile;     // "REF", or the switches that differ from it (params/profile.h)
  std::map<std::string, std::string> attributes;    // all of the root's, numbers as text
  std::map<std::string, std::string> not_provided;  // tap or pattern with {i} -> reason
  CaseInput input;
  // The first position of those that the oracle fed one token at a time, after the prompt before
  // them; 0: it fed the whole prompt at once.
  std::size_t decode_from = 0;
  TapSet truth;                             // in execution order
  std::map<std::string, TapFloors> floors;  // by tap name

  // The stored floor of a tap, or NaN: floor("text.logits", "floor_chain_f32").
  double floor(const std::string& tap, const std::string& attribute) const;
  // Why the oracles lack this tap, or "" (patterns with {i} and {s} are matched).
  std::string reason_not_provided(const std::string& tap) const;
};

Golden read_golden(const std::filesystem::path& path);

// A golden's question without its answers: /inputs and attributes only.
Golden read_case(const std::filesystem::path& path);

// Whether an HDF5 file asks a question at all; a dump does not.
bool is_golden(const std::filesystem::path& path);

// Whether a file is HDF5, holds /taps and asks no question: what write_dump writes.
bool is_hdf5_dump(const std::filesystem::path& path);

}  // namespace assay::conformance
