// SPDX-License-Identifier: Apache-2.0
// Rows of the prompt in which a choice is open, or went another way than the truth's, and how far
// that is felt: in the row itself until the layer ends, from the next attention on in all later
// rows, and in the rows of the same image, which see each other.
//
// Rows before the first of them are as good as ever and are compared.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/records/tap.h"

namespace assay::conformance {

class OpenRows {
 public:
  explicit OpenRows(const CaseInput& input);

  // One flag per row of the choice. A choice that is opened twice has the rows of both.
  void open(const std::string& choice, const std::vector<char>& rows);
  // Closes the choices on which nothing depends once this tap is given.
  void close(const std::string& tap);
  bool any() const { return !open_.empty(); }

  struct Felt {
    std::vector<char> rows;  // one flag per row of the tap; empty: none
    bool all = false;        // everywhere
    std::string choice;      // the first that is felt
  };
  Felt felt_at(const Tap& tap) const;

 private:
  void add(const std::string& choice, const std::vector<char>& rows, const Tap& tap,
           Felt& felt) const;

  std::vector<std::size_t> first_seen_by_;         // per row: the first row whose attention sees it
  std::map<std::string, std::vector<char>> open_;  // by choice
};

}  // namespace assay::conformance
