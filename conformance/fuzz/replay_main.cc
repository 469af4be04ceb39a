// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target on files and folders of them, without clang and libFuzzer: what a compiler of
// any kind makes of a corpus, or a debugger of one input.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

#include "conformance/fuzz/fuzz_target.h"

namespace {

void replay(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      replay(entry.path());
    }
    return;
  }
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    replay(argv[i]);
  }
  return 0;
}
