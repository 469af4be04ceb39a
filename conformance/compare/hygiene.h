// SPDX-License-Identifier: Apache-2.0
// The hygiene of dumps: what is told of a dump before its numbers are, so that a wrong name, a
// reused buffer or a row too few is not taken for wrong arithmetic, nor for right one.
//
//   a name that is no tap       stands in the report with the tap that was probably meant; a pass
//                               becomes a warning, and not tested where most arrays have such names
//   a row of a map that no array  is a note where the golden has its tap: a map may serve sizes
//   whose of the dump is called by      taps this model has not the last or first rows      are
//   judged as those rows (partial_rows.h) 16-bit floats as integers   are read where only one
//   format gives the truth (stored_bits.h) one array for several taps  is a failure that says so
//   (same_arrays.h)
#pragma once

#include <set>
#include <string>
#include <vector>

#include "conformance/compare/verdict.h"
#include "conformance/records/dump.h"
#include "conformance/records/golden.h"

namespace assay::conformance {

struct Hygiene {
  std::size_t arrays = 0;  // of the dump
  bool mapped = false;     // names were translated: which arrays count was decided by whoever did
  std::size_t rows = 0;    // of the map, whose taps the golden has
  std::vector<MapRow> idle_rows;  // those that no array of the dump is called by
  std::vector<IgnoredName> ignored;
  std::vector<DumpNote> notes;
  std::vector<std::vector<std::string>> same;

  // Most arrays bear no tap's name, and no map has chosen among them.
  bool mostly_ignored() const { return !mapped && 2 * ignored.size() > arrays; }
  // Most rows of the map find no array.
  bool mostly_idle() const { return 2 * idle_rows.size() > rows; }
};

// Names that are no tap, with what was meant among `taps`.
std::vector<IgnoredName> ignored_names(const Dump& dump, const std::set<std::string>& taps);

// Looks the dump over and brings it to the truth's shapes and types; `map`, which may be null, has
// named its arrays. Throws Error for integers that cannot be read as floating-point numbers.
Hygiene clean(const Golden& golden, const NameMap* map, Dump& dump);

// Adds it to a verdict.
void add_hygiene(const Hygiene& hygiene, CaseResult& result);

// "7 of 8 arrays bear no tap's name: model.layers.0.out (did you mean text.layer.0.out?), …"
std::string describe_ignored(const Hygiene& hygiene);

// "warning: 5 of 8 rows of the map find no array: model.layers.{i}.out, …"
std::string describe_idle_rows(const Hygiene& hygiene);

}  // namespace assay::conformance
