// SPDX-License-Identifier: Apache-2.0
// Where the repository lies, for tests that read its files. One object file knows the path, so that
// every other one is the same in each checkout and a compiler cache may share it.
#pragma once

#include <string>

namespace assay {

std::string source_dir();

}  // namespace assay
