// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/notes.h"

#include <iostream>
#include <set>
#include <string>

namespace assay::program {

void print_notes(const Checkpoint& checkpoint) {
  static std::set<std::string> printed;
  for (const std::string& note : checkpoint.notes()) {
    if (printed.insert(note).second) {
      std::cerr << "note: " << note << "\n";
    }
  }
}

}  // namespace assay::program
