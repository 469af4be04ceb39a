// SPDX-License-Identifier: Apache-2.0
// A drafter and the model that it drafts for.  Spec.
#pragma once

#include <cstddef>
#include <string>

#include "reference/family/config/config.h"

namespace assay {

// The target's last layer of this kind that owns keys: what a drafter's layers of the kind attend
// to. Throws Error where there is none.
std::size_t drafter_source_layer(const TextConfig& target, LayerKind kind);

// Throws Error, beginning with `drafter_path` or "drafter", where the config is no drafter's or one
// of another target.
void check_drafter_fits(const ModelConfig& drafter, const std::string& drafter_path,
                        const TextConfig& target);

}  // namespace assay
