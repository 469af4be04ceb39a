// SPDX-License-Identifier: Apache-2.0
// A whole implementation emits every tap that its model has, and no other.
#include <algorithm>
#include <cmath>
#include <set>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/tap_context.h"
#include "conformance/properties/prompts.h"
#include "conformance/properties/property_tables.h"

namespace assay::conformance {
namespace {

// "30 taps of text.layer.{i}.attn.probs, text.layer.{i}.attn.scores"
std::string describe_taps(const std::vector<std::string>& taps) {
  std::set<std::string> kinds;
  for (const std::string& tap : taps) {
    const auto match = find_tap(tap);
    kinds.insert(match ? std::string(match->entry->pattern) : tap);
  }
  std::string text = std::to_string(taps.size()) + (taps.size() == 1 ? " tap of " : " taps of ");
  const char* separator = "";
  for (const std::string& kind : kinds) {
    text += separator + kind;
    separator = ", ";
  }
  return text;
}

// Taps that the model has and a run does not show, where that is allowed.
struct Missing {
  std::vector<std::string> never_shown;  // as the implementation declares
  std::vector<std::string> left_out;     // optional ones
};

bool is_mandatory(const std::string& tap) {
  const auto match = find_tap(tap);
  return !match || match->entry->mandatory;
}

// An implementation that leaves optional taps out, or says that it never shows some, is not whole,
// and not wrong.
void require_whole(const Missing& missing) {
  if (!missing.never_shown.empty()) {
    throw Stopped(Verdict::kNotSupported,
                  "not shown: " + describe_taps(missing.never_shown) +
                      (missing.left_out.empty()
                           ? ""
                           : "; not given: " + describe_taps(missing.left_out) + " (optional)"));
  }
  if (!missing.left_out.empty()) {
    throw Stopped(Verdict::kNotSupported, std::to_string(missing.left_out.size()) +
                                              " optional taps are not given, the first " +
                                              missing.left_out.front());
  }
}

void check_catalogue(Subject& subject, const CaseInput& input, Findings& findings) {
  const TapMap taps = run_taps(subject, input);
  const auto names = expand_taps(context_of(subject.config, input.media));
  Missing missing;
  for (const std::string& name : names) {
    const bool given = taps.count(name) == 1;
    const bool declared = subject.can.never_shows(name);
    if (!given && declared) {
      missing.never_shown.push_back(name);
    } else if (!given && !is_mandatory(name)) {
      missing.left_out.push_back(name);
    } else {
      findings.expect(given, [&] { return name + ": got no such tap, expected it"; });
      findings.expect(!declared, [&] {
        return name + ": got a tap that was declared as never shown, expected none";
      });
    }
  }
  for (const auto& [name, tap] : taps) {
    findings.expect(std::ranges::find(names, name) != names.end(), [&, &tap_name = name] {
      return tap_name + ": got a tap that this model does not have";
    });
  }
  require_whole(missing);
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
