// SPDX-License-Identifier: Apache-2.0
// The comparator on trial before any candidate: it must be seen green and red.
#pragma once

namespace assay::conformance {

// Throws HarnessError when a verdict is not what it has to be. Takes milliseconds.
void self_test();

}  // namespace assay::conformance
