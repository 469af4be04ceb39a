// SPDX-License-Identifier: Apache-2.0
// Does something dangerous in a child process first.
//
// HDF5 1.10 can crash or loop for ever on damaged metadata, before anything of ours sees it. What
// survives in a child, whose memory is a copy of ours, survives here.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace assay::conformance {

// Runs `read` in a child. Throws assay::Error when the child crashes, or takes more processor time
// than a file of this size can need; an assay::Error of `read` is left for the parent to meet
// again.
void probe(const std::string& label, std::size_t file_bytes, const std::function<void()>& read);

}  // namespace assay::conformance
