// SPDX-License-Identifier: Apache-2.0
// Rows of floats in vectors, and what is left of them after the last whole one.
//
// Included once for each target of Highway, by the kernels that work row by row.
#if defined(ASSAY_OPTIMIZED_ROW_VECTORS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_OPTIMIZED_ROW_VECTORS_INL_H
#undef ASSAY_OPTIMIZED_ROW_VECTORS_INL_H
#else
#define ASSAY_OPTIMIZED_ROW_VECTORS_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace assay::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using Vector = hn::Vec<F32>;

// step(i) for each whole vector of a row, then last(first, count) for the rest.
template <class Step, class Last>
HWY_INLINE void each_vector(std::size_t count, const Step& step, const Last& last) {
  const std::size_t lanes = hn::Lanes(F32());
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    step(i);
  }
  if (i < count) {
    last(i, count - i);
  }
}

// The first `count` lanes from memory, zeros in the others.
HWY_INLINE Vector load_some(const float* from, std::size_t count) {
  HWY_ALIGN float lanes[hn::MaxLanes(F32())] = {};
  std::copy_n(from, count, lanes);
  return hn::Load(F32(), lanes);
}

HWY_INLINE void store_some(Vector v, std::size_t count, float* to) {
  HWY_ALIGN float lanes[hn::MaxLanes(F32())];
  hn::Store(v, F32(), lanes);
  std::copy_n(lanes, count, to);
}

// y = map(i, load), where load(p) reads lanes i … of the row p.
template <class Map>
HWY_INLINE void map_rows(std::size_t count, float* y, const Map& map) {
  const F32 d;
  each_vector(
      count,
      [&](std::size_t i) HWY_ATTR {
        hn::StoreU(map([&](const float* p) HWY_ATTR { return hn::LoadU(d, p + i); }), d, y + i);
      },
      [&](std::size_t i, std::size_t rest) HWY_ATTR {
        store_some(map([&](const float* p) HWY_ATTR { return load_some(p + i, rest); }), rest,
                   y + i);
      });
}

HWY_INLINE float sum_of(Vector v) {
  return hn::GetLane(hn::SumOfLanes(F32(), v));
}

}  // namespace
}  // namespace assay::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
