// SPDX-License-Identifier: Apache-2.0
// 128 overlapping triangles that gather 257 frequency bins into mel bins, in fp64.
//
//   m(F) = 2595 log10(1 + F / 700),   F(m) = 700 (10^(m / 2595) - 1)            HTK's mel scale
//   e_0 ... e_129: F of 130 points equally spaced from m(0) to m(8000)
//   F_b = 31.25 b                                                              bin b in Hz
//   filter[b,f] = max(0, min((F_b - e_f) / (e_{f+1} - e_f), (e_{f+2} - F_b) / (e_{f+2} - e_{f+1})))
//
// The triangles are linear in Hz, all of height 1. Filter 0 is zero everywhere: only F_0 = 0 falls
// into its band, at the foot. It stays so, and bin 0 of every frame is the floor.
// Spec: RA-6.
#pragma once

#include <vector>

namespace assay {

double hz_to_mel(double hz);
double mel_to_hz(double mel);

std::vector<double> mel_edges();    // [130], Hz
std::vector<double> mel_filters();  // [257, 128]

}  // namespace assay
