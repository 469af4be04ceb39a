// SPDX-License-Identifier: Apache-2.0
// A whole implementation shows every tap of the catalogue that its model has, and no other.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/tap_context.h"
#include "conformance/properties/prompts.h"
#include "conformance/properties/subjects.h"

namespace assay::conformance {
namespace {

void check_catalogue(Subject& subject, const CaseInput& input) {
  const TapMap taps = run_taps(subject, input);
  const auto names = expand_taps(context_of(subject.config, input.media));
  for (const std::string& name : names) {
    INFO(name);
    CHECK(taps.count(name) == 1);
  }
  for (const auto& [name, tap] : taps) {
    INFO(name);
    CHECK(std::ranges::find(names, name) != names.end());
  }
}

void check_catalogue(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    INFO(checkpoint << " " << subject.name);
    check_catalogue(subject, text_prompt(9));
  }
}

MediaItem::Array waves(std::vector<std::size_t> shape) {
  MediaItem::Array array{std::move(shape), {}};
  for (std::size_t i = 0; i < array.shape[0] * array.shape[1]; ++i) {
    array.values.push_back(0.5 + 0.5 * std::sin(static_cast<double>(i)));
  }
  return array;
}

constexpr std::size_t kSoftTokens = 2;  // of each item

MediaItem image(const ModelConfig& config, MediaKind kind) {
  MediaItem item;
  item.kind = kind;
  const std::size_t side = config.vision ? config.vision->pooling_kernel_size : 1;
  const std::size_t width =
      config.vision ? config.vision->patch_width() : config.unified_vision->patch_width();
  const std::size_t columns = kSoftTokens * side;
  item.patches = waves({columns * side, width});
  item.positions.shape = {columns * side, 2};
  for (std::size_t i = 0; i < columns * side; ++i) {
    item.positions.values.push_back(static_cast<double>(i % columns));
    item.positions.values.push_back(static_cast<double>(i / columns));
  }
  return item;
}

MediaItem audio(const ModelConfig& config) {
  MediaItem item;
  item.kind = MediaKind::kAudio;
  if (config.audio) {
    item.mel = waves({4 * kSoftTokens, 128});
  } else {
    item.audio_rows = waves({kSoftTokens, config.unified_audio->audio_embed_dim});
  }
  return item;
}

// An image, a frame and, where the model takes it, audio, between text.
CaseInput mixed_prompt(const ModelConfig& config) {
  CaseInput input = text_prompt(1);
  input.token_types = {0};
  const auto add = [&](MediaItem item, std::int32_t type, std::int32_t placeholder) {
    input.media.push_back(std::move(item));
    input.ids.insert(input.ids.end(), kSoftTokens, placeholder);
    input.token_types.insert(input.token_types.end(), kSoftTokens, type);
    input.ids.push_back(3);
    input.token_types.push_back(0);
  };
  const SpecialTokens& special = config.text.special;
  add(image(config, MediaKind::kImage), 1, special.image);
  add(image(config, MediaKind::kFrame), 2, special.video);
  if (config.audio || config.unified_audio) {
    add(audio(config), 3, special.audio);
  }
  return input;
}

}  // namespace

TEST_CASE("every tap of the catalogue is emitted: e2b", "[e2b][catalogue]") {
  check_catalogue("e2b-tiny");
}
TEST_CASE("every tap of the catalogue is emitted: e4b", "[e4b][catalogue]") {
  check_catalogue("e4b-tiny");
}
TEST_CASE("every tap of the catalogue is emitted: 12b", "[12b][catalogue]") {
  check_catalogue("12b-tiny");
}
TEST_CASE("every tap of the catalogue is emitted: 26b", "[26b][catalogue]") {
  check_catalogue("26b-tiny");
}
TEST_CASE("every tap of the catalogue is emitted: 31b", "[31b][catalogue]") {
  check_catalogue("31b-tiny");
}

TEST_CASE("every tap of the catalogue is emitted: images and audio", "[media][catalogue]") {
  for (const char* checkpoint : {"e2b-media-tiny", "26b-media-tiny", "12b-media-tiny"}) {
    for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
      INFO(checkpoint << " " << subject.name);
      check_catalogue(subject, mixed_prompt(subject.config));
    }
  }
}

}  // namespace assay::conformance
