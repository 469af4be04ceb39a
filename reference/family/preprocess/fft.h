// SPDX-License-Identifier: Apache-2.0
// The discrete Fourier transform of real samples, in fp64.
//
//   X[k] = sum_n x[n] exp(-2 pi i k n / N),     k = 0 ... N/2
//
// Cooley & Tukey 1965, N a power of two: the transform of N samples is put together from those of
// its even and its odd samples.  Spec: RA-5.
#pragma once

#include <complex>
#include <span>
#include <vector>

namespace assay {

using Complex = std::complex<double>;

// exp(-2 pi i k / size), k = 0 ... size/2 - 1: made once, used for every transform of this size.
std::vector<Complex> fft_roots(std::size_t size);

// N = 2 * roots.size(). Fewer samples are followed by zeros.
std::vector<Complex> real_fft(std::span<const double> x, const std::vector<Complex>& roots);

}  // namespace assay
