// SPDX-License-Identifier: Apache-2.0
// The token table, read in both directions.
//
//   rows[t,d]       = embed_tokens[ids[t], d]
//   logits_raw[t,v] = sum_d embed_tokens[v,d] * n[t,d]        (tied; not scaled by sqrt(D))
//
// A checkpoint may have a head of its own, lm_head.weight [V, D], in the place of the last one.
//
// The table is the largest tensor of the file and is never widened whole: rows are read one by
// one, and the vocabulary projection runs in blocks of rows.  Spec.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/core/tensor.h"
#include "reference/weights/load_weights.h"

namespace assay::ASSAY_REFERENCE {

// Throws when an id is outside the table.
Tensor<T, D> embedding_rows(const WeightReader& reader, const std::string& table,
                            const std::vector<std::int32_t>& ids);

// What makes the logits: "lm_head.weight" where the checkpoint has one, else "embed_tokens.weight".
std::string head_table(const WeightReader& reader);

Tensor<T, V> unembed(const WeightReader& reader, const std::string& table, const Tensor<T, D>& n);

// sqrt(width), the factor on embedding rows; rounded to bf16 where a bf16 port is emulated.
Real embedding_scale(std::size_t width, bool bf16_scales);

}  // namespace assay::ASSAY_REFERENCE
