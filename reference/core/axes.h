// SPDX-License-Identifier: Apache-2.0
// Names of axes. They exist to be read in signatures and hold no data; see docs/notation.md.
#pragma once

namespace assay::axes {

struct R;  // rows: any leading axes, flattened
struct T;  // query positions of one call
struct S;  // key positions a layer sees in one call
struct D;  // model width, hidden_size
struct N;  // query heads
struct K;  // key/value heads
struct H;  // width of one head
struct F;  // feed-forward width; frequencies of audio
struct V;  // vocabulary
struct L;  // layers
struct P;  // width of the per-layer input
struct E;  // experts
struct X;  // experts chosen per token
struct O;  // outputs of a linear map
struct I;  // inputs of a linear map
struct C;  // channel pairs that rotate together, H / 2
struct A;  // axes of an image: 0 the column x, 1 the row y
struct J;  // points of a convolution's kernel along one axis

}  // namespace assay::axes
