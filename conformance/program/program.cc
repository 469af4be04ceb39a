// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/program.h"

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "conformance/compare/self_test.h"
#include "conformance/doors/registry.h"
#include "conformance/program/command_line.h"
#include "conformance/program/judges.h"
#include "reference/family/base/error.h"

namespace assay::program {
namespace {

int run_command(const CommandLine& o) {
  const std::string& command = o.name;
  if (const auto status = run_text_command(command, o.text)) {
    return *status;
  }
  if (command == "verify") {
    return verify(o.verify);
  }
  if (command == "compare") {
    return compare(o.compare);
  }
  if (command == "mutate") {
    return mutate(o.mutate);
  }
  if (command == "dump") {
    return dump(o.dump);
  }
  if (command == "convert") {
    return convert(o.convert);
  }
  if (command == "synth") {
    return synth(o.synth);
  }
  if (command == "bench") {
    return bench(o.bench);
  }
  if (command == "inspect") {
    return inspect(o.inspect);
  }
  return command == "taps" ? taps(o.taps) : explain(o.explain);
}

void use_threads(int threads) {
  for (const auto& [name, entry] : conformance::registered_implementations()) {
    if (entry.use_threads) {
      entry.use_threads(threads);
    }
  }
}

int run(const std::vector<std::string>& arguments) {
  CommandLine line;
  if (const auto status = read_command_line(arguments, line)) {
    return *status;
  }
  line.verify.command = command_line(arguments);
  line.compare.command = line.verify.command;
  use_threads(line.threads);
  conformance::self_test();
  return run_command(line);
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
  try {
    return run(arguments);
  } catch (const Error& error) {
    std::fprintf(stderr, "assay: %s\n", error.what());
    return 2;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "assay: out of memory\n");
    return 3;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay: %s\n", error.what());
    return 3;
  }
}

}  // namespace assay::program
