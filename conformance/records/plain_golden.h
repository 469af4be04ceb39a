// SPDX-License-Identifier: Apache-2.0
// Goldens without HDF5, for machines that have none: FILE.golden, lines of text, and FILE.values,
// the numbers that they point to.
//
//   golden 1 <case> <checkpoint> <drafter> <profile> <decode_from>
//   ids|token_types|positions|valid <at> <count>              i32
//   draft <token> <steps> <standard_window>
//   media <kind> <rows> <width> <name> <budget> <frames>      and its arrays:
//   array values|file|rgb|patches|positions|samples|mel|mel_mask|audio_rows <at> <shape>   f64; u8
//   tap <name> real|integer <narrowed> <at> <shape>           f64; i32
//   floor <name> <value>                                      of the tap before it, in hexadecimal
//
// Fields are separated by tabs, axes by x; places are bytes from the beginning of FILE.values,
// whose numbers are little-endian. What goldens say about their making is left out, and cases of
// the text around the network, which no device computes. Files are untrusted: every place, count
// and name is checked before it is used, and Error says "file: line: thing: got X, expected Y".
#pragma once

#include <filesystem>

#include "conformance/records/golden.h"

namespace assay::conformance {

// `path` without an extension. Throws Error for a golden with requests.
void write_plain_golden(const Golden& golden, const std::filesystem::path& path);

// `path`: FILE.golden.
Golden read_plain_golden(const std::filesystem::path& path);

}  // namespace assay::conformance
