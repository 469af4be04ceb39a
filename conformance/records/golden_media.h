// SPDX-License-Identifier: Apache-2.0
// The items of /inputs/media: soft-token embeddings, or one of the rawer forms an implementation
// encodes.
//
//   /inputs/media/{k}    kind (image, frame, video, audio); budget, num_frames
//     file [bytes]       rgb [h, w, 3]       patches [N, C] + positions [N, 2]
//     samples [n]        mel [F, 128] (+ mel_mask [F])       rows [n, w]       soft [n, D]
//
// k is the first run of placeholders that the item fills. A video fills one run per frame, so the
// number after a video's may skip; the others count 0, 1, 2, …
#pragma once

#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/records/hdf5_file.h"

namespace assay::conformance {

// In the order of the runs. A video that does not say its frames, and is not the last item, gets
// them from the number of the next one.
std::vector<MediaItem> read_media(Hdf5File& file);

// Items of soft-token embeddings fill the placeholders in order, each as many neighbours of its
// type as it has rows. How many a rawer item needs is known after encoding: the check ends before
// it.
void check_placeholders(const Hdf5File& file, const CaseInput& input);

}  // namespace assay::conformance
