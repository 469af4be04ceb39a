// SPDX-License-Identifier: Apache-2.0
// A port's own names for taps: a CSV of tap,name lines, "#" starts a comment.
//
//   text.layer.{i}.attn.q_proj,model.layers.{i}.self_attn.q_proj
//
// {i} (layer), {s} (draft step), {j} (drafter layer), {r} (round) and {k} stand for a number.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace assay::conformance {

class NameMap {
 public:
  static NameMap read(const std::filesystem::path& path);
  // `source` names the text in error messages.
  static NameMap parse(const std::string& text, const std::string& source);

  std::optional<std::string> tap_of(const std::string& name) const;
  std::size_t size() const { return rows_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> rows_;  // tap pattern, name pattern
};

}  // namespace assay::conformance
