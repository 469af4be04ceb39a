// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/tap_context.h"

#include <algorithm>
#include <utility>

#include "conformance/catalogue/catalogue.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kSubsamplingStages = 2;

std::string with_number(std::string_view pattern, std::string_view placeholder, std::size_t n) {
  std::string name(pattern);
  const std::size_t at = name.find(placeholder);
  return at == std::string::npos ? name : name.replace(at, placeholder.size(), std::to_string(n));
}

bool is_one_of(MediaForm form, std::initializer_list<MediaForm> forms) {
  return std::ranges::find(forms, form) != forms.end();
}

bool raw_media(const TapContext& context) {
  return std::ranges::any_of(context.media,
                             [](const auto& item) { return item.form != MediaForm::kSoft; });
}

bool of_text(const TapContext& context, Presence presence, bool owns_kv) {
  switch (presence) {
    case Presence::kAlways:
      return true;
    case Presence::kPle:
      return context.ple;
    case Presence::kMoe:
      return context.moe;
    case Presence::kOwnsKv:
      return owns_kv;
    case Presence::kCache:
      return context.cache && owns_kv;
    case Presence::kCentroids:
      return context.centroids;
    case Presence::kMediaPrompt:
      return raw_media(context);
    default:
      return false;
  }
}

bool of_image(const TapContext& context, Presence presence, const MediaContext& item) {
  using enum MediaForm;
  switch (presence) {
    case Presence::kVideo:
      return item.video;
    case Presence::kPixels:
      return is_one_of(item.form, {kFile, kPixels});
    case Presence::kPatches:
      return is_one_of(item.form, {kFile, kPixels, kPatches});
    case Presence::kVisionEncoder:
      return context.vision_encoder;
    case Presence::kStandardize:
      return context.vision_encoder && context.standardize;
    case Presence::kUnifiedVision:
      return context.unified_vision;
    case Presence::kVisionEmbedder:
      return context.vision_encoder || context.unified_vision;
    default:
      return false;
  }
}

bool of_audio(const TapContext& context, Presence presence, const MediaContext& item) {
  using enum MediaForm;
  switch (presence) {
    case Presence::kSamples:
      return is_one_of(item.form, {kFile, kSamples});
    case Presence::kLogMel:
      return context.audio_encoder && is_one_of(item.form, {kFile, kSamples});
    case Presence::kMel:
      return context.audio_encoder && is_one_of(item.form, {kFile, kSamples, kMel});
    case Presence::kAudioEncoder:
      return context.audio_encoder;
    case Presence::kUnifiedAudio:
      return context.unified_audio;
    case Presence::kAudioEmbedder:
      return context.audio_encoder || context.unified_audio;
    default:
      return false;
  }
}

class Expansion {
 public:
  explicit Expansion(const TapContext& context) : context_(context) {}

  void add_media(const MediaContext& item) {
    if (item.form == MediaForm::kSoft) {
      return;
    }
    const auto add = [&](Part part, std::size_t number) {
      add_rows(Stage::kMedia, part, [&](const TapEntry& entry) {
        if (item.audio ? of_audio(context_, entry.presence, item)
                       : of_image(context_, entry.presence, item)) {
          std::string name = with_number(entry.pattern, "{i}", number);
          names_.push_back("media." + std::to_string(item.item) + "." +
                           with_number(name, "{s}", number));
        }
      });
    };
    add(Part::kBefore, 0);
    for (std::size_t stage = 0; stage < kSubsamplingStages; ++stage) {
      add(Part::kSubsampling, stage);
    }
    add(Part::kBetween, 0);
    const std::size_t layers = item.audio ? context_.audio_layers : context_.vision_layers;
    for (std::size_t layer = 0; layer < layers; ++layer) {
      add(Part::kLayers, layer);
    }
    add(Part::kAfter, 0);
  }

  void add(Stage stage, Part part, bool owns_kv, std::size_t step, std::size_t layer) {
    add_rows(stage, part, [&](const TapEntry& entry) {
      if (of_text(context_, entry.presence, owns_kv)) {
        const std::string name = with_number(entry.pattern, "{s}", step);
        names_.push_back(with_number(name, stage == Stage::kText ? "{i}" : "{j}", layer));
      }
    });
  }

  std::vector<std::string> names() && { return std::move(names_); }

 private:
  template <class Add>
  static void add_rows(Stage stage, Part part, const Add& add) {
    for (const TapEntry& row : all_taps()) {
      if (row.stage == stage && row.part == part) {
        add(row);
      }
    }
  }

  const TapContext& context_;
  std::vector<std::string> names_;
};

MediaForm form_of(const MediaItem& item) {
  const std::pair<bool, MediaForm> forms[] = {
      {!item.values.empty(), MediaForm::kSoft},    {!item.file.empty(), MediaForm::kFile},
      {item.rgb.given(), MediaForm::kPixels},      {item.patches.given(), MediaForm::kPatches},
      {item.samples.given(), MediaForm::kSamples}, {item.mel.given(), MediaForm::kMel},
      {item.audio_rows.given(), MediaForm::kRows}};
  const auto* given = std::ranges::find(forms, true, &std::pair<bool, MediaForm>::first);
  return given == std::end(forms) ? MediaForm::kSoft : given->second;
}

void add_items(TapContext& context, const MediaItem& item, std::size_t frames) {
  const bool video = item.kind == MediaKind::kVideo;
  for (std::size_t frame = 0; frame < (video ? frames : 1); ++frame) {
    context.media.push_back(
        {context.media.size(), form_of(item), item.kind == MediaKind::kAudio, video && frame == 0});
  }
}

}  // namespace

TapContext context_of(const TextConfig& config) {
  TapContext context;
  for (std::size_t i = 0; i < config.num_hidden_layers(); ++i) {
    context.layer_owns_kv.push_back(!config.shares_kv(i));
  }
  context.ple = config.hidden_size_per_layer_input > 0;
  context.moe = config.moe.has_value();
  context.cache = true;
  return context;
}

TapContext context_of(const ModelConfig& config, std::span<const MediaItem> media) {
  TapContext context = context_of(config.text);
  if (config.vision) {
    context.vision_encoder = true;
    context.vision_layers = config.vision->num_hidden_layers;
    context.standardize = config.vision->standardize;
  }
  if (config.audio) {
    context.audio_encoder = true;
    context.audio_layers = config.audio->num_hidden_layers;
  }
  context.unified_vision = config.unified_vision.has_value();
  context.unified_audio = config.unified_audio.has_value();
  for (const MediaItem& item : media) {
    add_items(context, item, item.num_frames > 0 ? item.num_frames : config.processor.num_frames);
  }
  return context;
}

std::vector<std::string> expand_taps(const TapContext& context) {
  Expansion expansion(context);
  for (const MediaContext& item : context.media) {
    expansion.add_media(item);
  }
  expansion.add(Stage::kText, Part::kBefore, true, 0, 0);
  for (std::size_t layer = 0; layer < context.layer_owns_kv.size(); ++layer) {
    expansion.add(Stage::kText, Part::kLayers, context.layer_owns_kv[layer], 0, layer);
  }
  expansion.add(Stage::kText, Part::kAfter, true, 0, 0);
  for (std::size_t step = 0; step < context.draft_steps; ++step) {
    expansion.add(Stage::kDraft, Part::kBefore, false, step, 0);
    for (std::size_t layer = 0; layer < context.drafter_layers; ++layer) {
      expansion.add(Stage::kDraft, Part::kLayers, false, step, layer);
    }
    expansion.add(Stage::kDraft, Part::kAfter, false, step, 0);
  }
  return std::move(expansion).names();
}

}  // namespace assay::conformance
