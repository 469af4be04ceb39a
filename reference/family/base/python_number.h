// SPDX-License-Identifier: Apache-2.0
// A double as Python prints it: the shortest text that reads back as the same, 2.0, 1e+20, inf.
#pragma once

#include <string>

namespace assay {

std::string python_number(double value);

}  // namespace assay
