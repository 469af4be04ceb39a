// SPDX-License-Identifier: Apache-2.0
// assay dump: one case through one implementation, its taps to a file.
#include <cstdio>

#include "conformance/compare/listeners.h"
#include "conformance/program/glob.h"
#include "conformance/program/implementations.h"
#include "conformance/program/options.h"
#include "conformance/records/dump.h"
#include "conformance/records/golden.h"

namespace assay::program {

int dump(const DumpOptions& options) {
  const auto golden = conformance::read_case(options.case_file);
  const auto implementation =
      make_implementation(options.impl, options.precision, options.checkpoint, options.drafter);
  conformance::CollectingListener listener(
      [&options](const std::string& tap) { return glob_matches(options.taps, tap); });
  conformance::RunOptions run;
  run.prefill_chunk = options.prefill;
  throw_unless_ok(implementation->run(golden.input, run, listener), options.case_file);
  listener.check();
  const auto& taps = listener.taps();
  conformance::write_dump(options.out, taps,
                          {{"case", golden.case_name},
                           {"implementation", options.impl},
                           {"precision", options.precision}},
                          options.precision == "f64" ? conformance::DumpPrecision::kF64
                                                     : conformance::DumpPrecision::kF32);
  std::printf("%zu taps of %zu tokens written to %s\n", taps.size(), golden.input.ids.size(),
              options.out.c_str());
  return 0;
}

}  // namespace assay::program
