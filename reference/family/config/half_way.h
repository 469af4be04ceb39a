// SPDX-License-Identifier: Apache-2.0
// Which integer a value halfway between two of them becomes.
#pragma once

namespace assay {

enum class HalfWay { kEven, kUp, kDown };

}  // namespace assay
