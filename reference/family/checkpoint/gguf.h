// SPDX-License-Identifier: Apache-2.0
// The layout of a GGUF file: after the metadata, for each tensor
//
//   string name   u32 axes   axes x u64 extent, the fastest first   u32 type   u64 offset
//
// and then, at the next multiple of general.alignment (32 by default), the data section. Offsets
// count from there and are multiples of the alignment. Shapes are turned round: a linear layer's
// [out, in] is (in, out) in the file, and the blocks of its elements run along `in`.
//
// Names are unique; the ranges lie in the file and do not overlap. Names are the file's own: which
// weight each one is, the checkpoint says.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "reference/family/checkpoint/stored_tensor.h"

namespace assay {

// By the first four bytes.
bool is_gguf(std::span<const std::byte> bytes);

// `label` is the file's name in messages.
ContainerLayout parse_gguf(std::span<const std::byte> bytes, const std::string& label);

}  // namespace assay
