// SPDX-License-Identifier: Apache-2.0
// model.safetensors.index.json beside two shards, which hold the tensors a and b.
#include <fstream>
#include <string>

#include "conformance/fuzz/fuzz_target.h"
#include "reference/family/checkpoint/shards.h"

namespace {

std::filesystem::path folder_of_shards(const std::filesystem::path& index) {
  std::string folder = "/tmp/assay_index_fuzz_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    std::abort();
  }
  for (const std::string name : {"a", "b"}) {
    const std::string header =
        R"({")" + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
    std::ofstream file(folder + "/" + name + ".safetensors", std::ios::binary);
    file << static_cast<char>(header.size()) << std::string(7, '\0') << header;
    file.write("\0\0\0\0", 4);
  }
  std::filesystem::create_symlink(index, folder + "/model.safetensors.index.json");
  return folder;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const assay::fuzz::MemoryFile index;
  static const std::filesystem::path folder = folder_of_shards(index.path());
  index.hold(assay::fuzz::bytes_of(data, size));
  assay::fuzz::expect_lines([] { assay::open_shards(folder); });
  return 0;
}
