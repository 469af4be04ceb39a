// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/write_config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "reference/family/base/error.h"
#include "reference/family/config/load_config.h"
#include "reference/family/config/load_processor_config.h"
#include "reference/family/synth/synth.h"
#include "reference/family/synth/synth_config.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_config.h"

namespace assay {
namespace {

ModelConfig read_back(const ModelConfig& config) {
  ModelConfig read = parse_config(config_text(config, "float32"), "written");
  const std::string processor = processor_config_text(config);
  if (!processor.empty()) {
    parse_processor_config(processor, "written", read);
  }
  return read;
}

TEST(WriteConfig, EveryCommittedConfigComesBack) {
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(source_dir() + "/golden/checkpoints")) {
    if (std::filesystem::exists(entry.path() / "config.json")) {
      const ModelConfig config = load_config(entry.path());
      EXPECT_TRUE(same(read_back(config), config)) << entry.path();
      ++count;
    }
  }
  EXPECT_GT(count, 20U);
}

TEST(WriteConfig, EveryReleasedSizeComesBack) {
  for (const std::string& size : synthetic_sizes()) {
    SynthOptions options;
    if (!size.ends_with("-drafter")) {
      options.encoders.emplace();
    }
    const ModelConfig config = parse_config(synthetic_config(size, options), size);
    EXPECT_TRUE(same(read_back(config), config)) << size;
  }
}

// Full layers with fewer key/value heads and a value projection of their own.
TEST(WriteConfig, WidthsThatTheReleasedKeysCannotSay) {
  ModelConfig config = parse_config(synthetic_config("e2b", {}), "e2b");
  for (LayerConfig& layer : config.text.layers) {
    layer.num_key_value_heads = layer.kind == LayerKind::kFull ? 2 : 4;
  }
  EXPECT_TRUE(same(read_back(config), config));
}

TEST(WriteConfig, ADifferenceWouldBeSeen) {
  const ModelConfig config = parse_config(synthetic_config("e2b", {}), "e2b");
  ModelConfig other = config;
  other.text.layers[3].intermediate_size += 1;
  EXPECT_FALSE(same(other, config));
}

}  // namespace
}  // namespace assay
