// SPDX-License-Identifier: Apache-2.0
// assay dump: one case through one implementation, its taps to a file.
#include <cstdio>
#include <filesystem>
#include <map>

#include "conformance/compare/harness.h"
#include "conformance/compare/listeners.h"
#include "conformance/program/glob.h"
#include "conformance/program/implementations.h"
#include "conformance/program/judges.h"
#include "conformance/program/notes.h"
#include "conformance/program/options.h"
#include "conformance/records/dump.h"
#include "conformance/records/golden.h"
#include "reference/family/base/error.h"

namespace assay::program {

namespace {

// An older dump may be replaced; a golden, a checkpoint's file or anything else may not.
void check_replaceable(const std::filesystem::path& out) {
  std::error_code ignored;
  const auto status = std::filesystem::symlink_status(out, ignored);
  if (!std::filesystem::exists(status)) {
    return;
  }
  if (!std::filesystem::is_regular_file(status) || !conformance::is_hdf5_dump(out)) {
    throw Error("--out: got " + out.string() +
                ", which exists and is no dump, expected a new file or an older dump");
  }
}

}  // namespace

int dump(const DumpOptions& options) {
  check_replaceable(options.out);
  const auto golden = conformance::read_case(options.case_file);
  const auto& entry = entry_named(options.impl);
  const std::string precision = precision_of(entry, options.precision);
  use_target(entry, options.target);
  const auto implementation =
      make_implementation(entry, precision, options.checkpoint, options.drafter);
  print_notes(Checkpoint::open(options.checkpoint));
  conformance::CollectingListener listener(
      [&options](const std::string& tap) { return glob_matches(options.taps, tap); });
  conformance::RunOptions run;
  run.prefill_chunk = options.prefill;
  run.profile = profile_named(options.profile, golden.profile);
  conformance::require_ok(implementation->run(golden.input, run, listener), options.case_file);
  listener.check();
  const auto& taps = listener.taps();
  if (taps.empty()) {
    throw Error("--taps: got '" + options.taps + "', expected a pattern that some tap matches");
  }
  std::map<std::string, std::string> attributes = {{"case", golden.case_name},
                                                   {"implementation", options.impl},
                                                   {"precision", precision},
                                                   {"profile", run.profile}};
  if (options.prefill > 0) {
    attributes["prefill"] = std::to_string(options.prefill);
  }
  conformance::write_dump(
      options.out, taps, attributes,
      precision == "f64" ? conformance::DumpPrecision::kF64 : conformance::DumpPrecision::kF32);
  std::printf("%zu taps of %zu tokens written to %s\n", taps.size(), golden.input.ids.size(),
              options.out.c_str());
  return 0;
}

}  // namespace assay::program
