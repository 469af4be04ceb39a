// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the tap that a name which is none most likely stands for.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace assay::conformance {

// Looks among the taps that a case has: by the names that the catalogue has of transformers and
// llama.cpp, else by the spelling. Numbers must agree, for a layer is not mistaken.
class NearestTap {
 public:
  explicit NearestTap(const std::set<std::string>& taps);

  // text.layer.3.attn.q_proj for "model.layers.3.self_attn.q_proj", "Qcur-3" or
  // "text.layers.3.attn.q_proj"; "" where no tap is near.
  std::string of(std::string_view name);

 private:
  void add_names(const std::string& tap, const std::string& kind);
  std::string nearest_kind(const std::string& kind) const;

  const std::set<std::string>& taps_;
  std::set<std::string> kinds_;               // taps with # for their numbers
  std::map<std::string, std::string> names_;  // elsewhere, in the same form -> kind of tap
  std::map<std::string, std::string> found_;  // kind of name -> kind of tap
};

}  // namespace assay::conformance
