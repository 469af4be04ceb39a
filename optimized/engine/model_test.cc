// SPDX-License-Identifier: Apache-2.0
// Weights that are no numbers are refused by name, however they are stored.
#include "optimized/engine/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "optimized/testing/test_engine.h"
#include "reference/family/base/error.h"
#include "reference/family/checkpoint/container.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_models.h"

namespace assay::cpu {
namespace {

std::string error_of(const std::filesystem::path& path) {
  try {
    const TestEngine engine(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// A copy of a tiny checkpoint of type `dtype` with bits `bits` as element `at` of a tensor.
std::string error_with(const TestDirectory& directory, DType dtype, const std::string& name,
                       std::size_t at, std::uint32_t bits) {
  SynthOptions widths = tiny_widths();
  widths.dtype = dtype;
  const auto path = directory.path() / ("model" + std::to_string(bits));
  write_synthetic_checkpoint("e2b", path, widths);
  bool changed = false;
  rewrite(path, [&](StoredTensor& tensor, std::vector<std::byte>& bytes) {
    if (tensor.name.ends_with(name)) {
      const std::size_t width = dtype.info().block_bytes;
      std::memcpy(bytes.data() + at * width, &bits, width);
      changed = true;
    }
    return true;
  });
  EXPECT_TRUE(changed) << name;
  return error_of(path);
}

TEST(Model, NamesTheElementThatIsNoNumber) {
  const TestDirectory directory;
  const auto named = [](const std::string& tensor, const std::string& element) {
    return testing::AllOf(testing::HasSubstr(tensor), testing::HasSubstr(element));
  };
  const std::string up = "layers.3.mlp.up_proj.weight";
  EXPECT_THAT(error_with(directory, DType::kBf16, up, 200, 0x7FC0), named(up, "200"));
  EXPECT_THAT(error_with(directory, DType::kBf16, up, 383, 0xFF80), named(up, "383"));
  EXPECT_THAT(error_with(directory, DType::kF16, up, 201, 0x7C00), named(up, "201"));
  EXPECT_THAT(error_with(directory, DType::kF32, up, 17, 0x7F800001), named(up, "17"));
  const std::string norm = "layers.3.input_layernorm.weight";
  EXPECT_THAT(error_with(directory, DType::kBf16, norm, 3, 0x7F80), named(norm, "3"));
  EXPECT_THAT(error_with(directory, DType::kBf16, "embed_tokens.weight", 99, 0x7F81),
              named("embed_tokens.weight", "99"));
  EXPECT_EQ(error_with(directory, DType::kBf16, up, 200, 0x7F7F), "no error");  // the largest
}

// The same in a GGUF file: the scale of the second block of a matrix.
TEST(Model, NamesTheBlockWhoseScaleIsNoNumber) {
  const TestDirectory directory;
  for (const char* name : {"e2b-q8_0-tiny", "26b-q4_0-tiny", "31b-kmix-tiny"}) {
    const auto source = golden_checkpoint(name);
    std::ifstream file(source, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::size_t found = 0;
    const Container container = Container::open(source);
    for (const StoredTensor& tensor : container.tensors()) {
      const auto& info = tensor.dtype.info();
      const auto stored = container.bytes(tensor);
      const std::size_t block = info.block_bytes;
      if (info.block_elements == 1 || tensor.name == "per_layer_token_embd.weight") {
        continue;
      }
      ++found;
      const std::string content(reinterpret_cast<const char*>(stored.data()), stored.size());
      const std::size_t at = bytes.find(content);
      ASSERT_NE(at, std::string::npos);
      std::string spoiled = bytes;
      const std::size_t scale = info.name == "Q6_K" ? 208 : 0;
      spoiled[at + block + scale] = '\x00';
      spoiled[at + block + scale + 1] = '\x7C';
      const auto path = directory.write("model.gguf", spoiled);
      EXPECT_THAT(error_of(path), testing::AllOf(testing::Not(testing::HasSubstr("no error")),
                                                 testing::HasSubstr("expected")))
          << name << " " << tensor.name << " " << info.name;
    }
    EXPECT_GT(found, 3u) << name;
  }
}

}  // namespace
}  // namespace assay::cpu
