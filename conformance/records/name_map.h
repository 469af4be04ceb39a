// SPDX-License-Identifier: Apache-2.0
// A port's own names for taps: the CSV that scripts/ports/maps/README.md describes, which the hooks
// of scripts/ports/assay_dump.py read, too.
//
//   text.layer.{i}.attn.q_proj,model.layers.{i}.self_attn.q_proj
//   text.layer.{i}.attn.q_norm,model.layers.{i}.self_attn.q_norm,out,
//   text.layer.{i}.in,model.layers.{i},in,                             for hooks alone
//
// {i} (layer), {s} (draft step), {j} (drafter layer), {r} (round) and {k} stand for a number. Rows
// that say how a hook takes a value, and not only what an array is called, are passed over.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace assay::conformance {

struct MapRow {
  std::string tap;   // pattern
  std::string name;  // pattern
  std::size_t line = 0;
};

class NameMap {
 public:
  static NameMap read(const std::filesystem::path& path);
  // `source` names the text in error messages.
  static NameMap parse(const std::string& text, const std::string& source);

  // The first row whose name fits.
  std::optional<std::string> tap_of(const std::string& name) const;
  std::size_t size() const { return rows_.size(); }
  // The rows that are for one of these taps.
  std::vector<MapRow> rows_for(const std::set<std::string>& taps) const;

 private:
  std::vector<MapRow> rows_;
};

}  // namespace assay::conformance
