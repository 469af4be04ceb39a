// SPDX-License-Identifier: Apache-2.0
// A whole implementation emits every tap that its model has, and no other.
#include <algorithm>
#include <cmath>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/tap_context.h"
#include "conformance/properties/prompts.h"
#include "conformance/properties/property_tables.h"

namespace assay::conformance {
namespace {

// An implementation that leaves optional taps out is not whole, and not wrong.
void check_catalogue(Subject& subject, const CaseInput& input, Findings& findings) {
  const TapMap taps = run_taps(subject, input);
  const auto names = expand_taps(context_of(subject.config, input.media));
  std::vector<std::string> left_out;
  for (const std::string& name : names) {
    const bool given = taps.count(name) == 1;
    const auto match = find_tap(name);
    if (!given && match && !match->entry->mandatory) {
      left_out.push_back(name);
    } else {
      findings.expect(given, [&] { return name + ": got no such tap, expected it"; });
    }
  }
  for (const auto& [name, tap] : taps) {
    findings.expect(std::ranges::find(names, name) != names.end(), [&, &tap_name = name] {
      return tap_name + ": got a tap that this model does not have";
    });
  }
  if (!left_out.empty()) {
    throw Stopped(Verdict::kNotSupported, std::to_string(left_out.size()) +
                                              " optional taps are not given, the first " +
                                              left_out.front());
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
    const std::size_t row = i / columns;
    item.positions.values.push_back(static_cast<double>(i % columns));
    item.positions.values.push_back(static_cast<double>(row));
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

void every_tap_of_text(Subject& subject, Findings& findings) {
  check_catalogue(subject, text_prompt(9), findings);
}

void every_tap_of_media(Subject& subject, Findings& findings) {
  check_catalogue(subject, mixed_prompt(subject.config), findings);
}

constexpr Property kProperties[] = {
    {"", "every tap of the catalogue: text", {}, every_tap_of_text},
    {"", "every tap of the catalogue: media", {.encoders = true}, every_tap_of_media},
};

}  // namespace

std::span<const Property> tap_properties() {
  return kProperties;
}

}  // namespace assay::conformance
