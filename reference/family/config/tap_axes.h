// SPDX-License-Identifier: Apache-2.0
// Which axes of a tap run over tokens. Runs that feed a prompt in pieces are joined by them.
#pragma once

namespace assay {

enum class TapAxes {
  kRows,        // first axis: the tokens of this call
  kKeys,        // first axis: the keys a layer sees
  kRowsByKeys,  // first axis: tokens, last axis: keys
  kWhole        // neither: the last call's value stands
};

}  // namespace assay
