// SPDX-License-Identifier: Apache-2.0
// A case's media through the reference's own preprocessing and encoders.
//
// A rawer item than soft-token embeddings fills a whole run of placeholders of its type; a video
// one run for each frame. An image without a budget gets the checkpoint's, and if that makes
// another number of soft tokens than there are placeholders, the one of the five budgets that makes
// as many.
#pragma once

#include <vector>

#include "conformance/interface/implementation.h"
#include "reference/core/taps.h"
#include "reference/model/media_encoder.h"
#include "reference/model/transformer.h"

namespace assay::ASSAY_REFERENCE {

// Whether an item is not soft-token embeddings already.
bool is_raw(const conformance::MediaItem& item);

// The case with soft-token embeddings in place of every rawer item, frames in place of videos.
// `types` are those of the case's tokens. Each item's taps come below "media.{k}.", k the number of
// its run. Throws NotBuilt for a video that this build cannot read, and Error when rows and
// placeholders are not equally many, naming the item.
conformance::CaseInput encode_media(const conformance::CaseInput& input,
                                    const std::vector<TokenType>& types,
                                    const MediaEncoder& encoder, const ProcessorConfig& processor,
                                    Taps& taps);

}  // namespace assay::ASSAY_REFERENCE
