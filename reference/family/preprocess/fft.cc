// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/fft.h"

#include <algorithm>
#include <cassert>
#include <numbers>

namespace assay {
namespace {

// out[0 ... size-1] = transform of in[0], in[stride], in[2 stride], ...
void transform(const Complex* in, std::size_t stride, Complex* out, std::size_t size,
               const std::vector<Complex>& roots) {
  if (size == 1) {
    out[0] = in[0];
    return;
  }
  const std::size_t half = size / 2;
  transform(in, 2 * stride, out, half, roots);                  // even samples
  transform(in + stride, 2 * stride, out + half, half, roots);  // odd samples
  for (std::size_t k = 0; k < half; ++k) {
    const Complex even = out[k];
    const Complex odd = roots[k * stride] * out[k + half];
    out[k] = even + odd;
    out[k + half] = even - odd;
  }
}

}  // namespace

std::vector<Complex> fft_roots(std::size_t size) {
  std::vector<Complex> roots;
  for (std::size_t k = 0; k < size / 2; ++k) {
    const double turn = static_cast<double>(k) / static_cast<double>(size);
    roots.push_back(std::polar(1.0, -2 * std::numbers::pi * turn));
  }
  return roots;
}

std::vector<Complex> real_fft(std::span<const double> x, const std::vector<Complex>& roots) {
  const std::size_t size = 2 * roots.size();
  assert(size > 0 && (size & (size - 1)) == 0 && x.size() <= size);
  std::vector<Complex> in(size);
  std::copy(x.begin(), x.end(), in.begin());
  std::vector<Complex> out(size);
  transform(in.data(), 1, out.data(), size, roots);
  out.resize(size / 2 + 1);
  return out;
}

}  // namespace assay
