// SPDX-License-Identifier: Apache-2.0
// Taps of an encoder that keeps its padding: listeners see the patches only.
//
//   [S, ...]              -> [real, ...]
//   attn.logits, .probs   -> [N, real, real] of [N, S, S]
//
// Needed for vision.pad_mask = additive_bool alone; REF has dropped padding before.
#pragma once

#include "reference/core/taps.h"

namespace assay::ASSAY_REFERENCE {

class RealRowTaps : public Taps {
 public:
  // Patches are the first `real` rows. The scope's taps must outlive this.
  RealRowTaps(TapScope shown, std::size_t real) : shown_(std::move(shown)), real_(real) {}

  bool listening() const override { return true; }
  bool wants(const std::string& name) const override { return shown_.wants(name.c_str()); }
  void real(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
            std::span<Real> values) override;

 private:
  TapScope shown_;
  std::size_t real_;
};

}  // namespace assay::ASSAY_REFERENCE
