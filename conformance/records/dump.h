// SPDX-License-Identifier: Apache-2.0
// Dumps: what an implementation said, as safetensors or HDF5.
//
// Keys are tap names. HDF5: a dataset /taps/<name> or /<name>, or a group of that name with
// {hi, lo} or value. Any float type up to 64 bits, any integer type, booleans. Values may be NaN
// or infinite: that is for the judge to say. Files are untrusted, as in golden.h.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "conformance/records/name_map.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

struct Dump {
  std::filesystem::path path;
  TapSet taps;                                    // in execution order, unknown names last
  std::map<std::string, std::string> attributes;  // what the file says about itself
  std::vector<std::string> unknown;               // names that are no tap of the catalogue
};

// With a map, names are translated; a name the map does not know stays as it is.
Dump read_dump(const std::filesystem::path& path, const NameMap* map = nullptr);

enum class DumpPrecision { kF32, kF64 };

// Writes HDF5, /taps/<name> as one dataset each; integer taps as int32. The file appears under
// its name only when it is complete.
void write_dump(const std::filesystem::path& path, const TapSet& taps,
                const std::map<std::string, std::string>& attributes,
                DumpPrecision precision = DumpPrecision::kF64);

}  // namespace assay::conformance
