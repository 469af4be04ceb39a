// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/innocent.h"

#include <array>

#include "conformance/compare/precision.h"

namespace assay::conformance {
namespace {

// One of so many programs is the CPU engine, one runs in chunks; the others rewrite each tap.
constexpr std::uint64_t kPrograms = 8;
constexpr std::array<const char*, 4> kTargets = {"", "avx2", "sse4", "sse2"};

template <typename Form>
Form drawn(Random& random, std::size_t forms) {
  return static_cast<Form>(random.next() % forms);
}

Arithmetic drawn_arithmetic(Random& random) {
  Arithmetic a;
  a.order = drawn<Order>(random, kOrders);
  a.edge_rows = random.next() % 4 == 0;
  a.multiply_add = random.next() % 2 != 0;
  a.norm = drawn<NormForm>(random, kNormForms);
  a.exp = drawn<ExpForm>(random, kExpForms);
  a.gelu = drawn<GeluForm32>(random, kGeluForms);
  a.softmax = drawn<SoftmaxForm>(random, kSoftmaxForms);
  a.narrow_angles = random.next() % 2 != 0;
  a.experts_by_index = random.next() % 2 != 0;
  return a;
}

void draw_chunks(Random& random, Innocent& one) {
  one.run.prefill_chunk = 1 + random.next() % 7;
  one.kinds.push_back("in chunks");
}

}  // namespace

std::string Innocent::what() const {
  std::string text;
  for (const std::string& kind : kinds) {
    text += (text.empty() ? "" : ", ") + kind;
  }
  if (!engine.empty()) {
    text += " on " + (target.empty() ? "its best target" : target) + ", " +
            std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  }
  if (run.prefill_chunk > 0) {
    text += " of " + std::to_string(run.prefill_chunk);
  }
  return text;
}

Innocent innocent_variant(std::uint64_t seed) {
  Random random(seed * 0x9E3779B97F4A7C15u + 1);
  Innocent one;
  switch (random.next() % kPrograms) {
    case 0:
      one.kinds.push_back("products by BLAS");
      one.threads = 1 + static_cast<int>(random.next() % 2);
      draw_chunks(random, one);  // a run in chunks takes nothing from a listener
      break;
    case 1:
      one.engine = "cpu";
      one.kinds.push_back("the CPU engine");
      one.target = kTargets.at(random.next() % kTargets.size());
      one.threads = 1 + static_cast<int>(random.next() % 2);
      if (random.next() % 2 == 0) {
        draw_chunks(random, one);
      }
      break;
    default: {
      const Arithmetic arithmetic = drawn_arithmetic(random);
      // With the maximum folded in, what was summed before a larger score came is off by the
      // rounding of that maximum: a program does so where it keeps no probabilities, and shows
      // none.
      const bool online =
          arithmetic.softmax == SoftmaxForm::kBlocks || arithmetic.softmax == SoftmaxForm::kByKey;
      const bool fused = random.next() % 4 == 0 || (online && arithmetic.exp == ExpForm::kFolded);
      one.variant = honest_rewrites(arithmetic, fused);
      one.kinds = arithmetic.words();
      if (fused) {
        one.kinds.push_back("fused kernels");
      }
    }
  }
  one.variant.label = "innocent " + std::to_string(seed);
  return one;
}

}  // namespace assay::conformance
