// SPDX-License-Identifier: Apache-2.0
// What the program was asked to do: the name of a command, and the options of each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conformance/program/options.h"
#include "conformance/program/text_commands.h"

namespace assay::program {

struct CommandLine {
  std::string name;  // of the command
  int threads = 1;
  VerifyOptions verify;
  CompareOptions compare;
  MutateOptions mutate;
  DumpOptions dump;
  ConvertCommand convert;
  SynthCommand synth;
  BenchOptions bench;
  InspectOptions inspect;
  TapsOptions taps;
  ExplainOptions explain;
  TextOptions text;
};

// Reads the arguments, the first of which is the program's own name. Returns an exit status where
// nothing is left to do: 0 after --help and --version, 2 after one line on stderr for a command
// line that cannot be understood.
std::optional<int> read_command_line(const std::vector<std::string>& arguments, CommandLine& line);

}  // namespace assay::program
