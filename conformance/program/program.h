// SPDX-License-Identifier: Apache-2.0
// The program `assay` as a function, for main() and for tests that register implementations first.
#pragma once

#include <string>
#include <vector>

namespace assay::program {

// Runs the command that the arguments name (the first is the program's own name). What goes wrong
// is one line on stderr. Returns the exit status: 0 pass, 1 fail, 2 usage or bad input, 3 a fault
// of the suite itself.
int run_program(const std::vector<std::string>& arguments);

}  // namespace assay::program
