// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/call_taps.h"

#include <string>

namespace assay::cpu {
namespace {

// [t][s] of what a kind of layer sees.
void emit_mask(const TapScope& tap, const char* name, const KindOfCall& kind, std::size_t end) {
  if (!tap.wants(name)) {
    return;
  }
  std::vector<std::size_t> keys;
  for (std::size_t s = kind.first_key; s < end; ++s) {
    keys.push_back(s);
  }
  std::vector<std::int32_t> mask;
  for (const VisibleKeys& visible : kind.visible) {
    for (const std::size_t s : keys) {
      bool seen = visible.first <= s && s <= visible.last;
      seen = seen && (visible.mask == nullptr || visible.mask[s - visible.mask_first] != 0);
      mask.push_back(seen ? 1 : 0);
    }
  }
  tap.integers_by_keys(name, keys, {kind.visible.size(), keys.size()}, mask.data());
}

void emit_angles(const TapScope& tap, const std::string& name, KindOfCall& kind) {
  const std::size_t tokens = kind.visible.size();
  tap((name + ".cos").c_str(), {kind.cos.data(), kind.half, tokens, kind.half});
  tap((name + ".sin").c_str(), {kind.sin.data(), kind.half, tokens, kind.half});
}

}  // namespace

void emit_call(const TapScope& tap, const Tokens& tokens, Call& call) {
  if (!tap.listening()) {
    return;
  }
  tap.integers("positions", tokens.positions);
  for (const bool sliding : {true, false}) {
    KindOfCall& kind = sliding ? call.sliding : call.full;
    if (!kind.visible.empty()) {
      emit_angles(tap, sliding ? "rope.local" : "rope.global", kind);
      emit_mask(tap, sliding ? "mask.local" : "mask.global", kind, call.start + call.tokens);
    }
  }
}

}  // namespace assay::cpu
