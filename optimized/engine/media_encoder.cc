// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/media_encoder.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "reference/family/base/error.h"
#include "reference/family/preprocess/image_patches.h"
#include "reference/family/preprocess/log_mel.h"
#include "reference/family/preprocess/samples.h"

namespace assay::cpu {
namespace {

[[noreturn]] void refuse_form(const char* kind, const char* expected) {
  throw Error(std::string(kind) + ": got no form that this checkpoint takes, expected " + expected);
}

std::vector<float> as_floats(const RawRows& rows) {
  return {rows.values.begin(), rows.values.end()};
}

// Values that preprocessing keeps in types of its own.
template <class Value>
void emit(const TapScope& tap, const char* name, std::vector<std::size_t> shape,
          const std::vector<Value>& values) {
  if (!tap.wants(name)) {
    return;
  }
  if constexpr (std::is_integral_v<Value>) {
    const std::vector<std::int32_t> shown(values.begin(), values.end());
    tap.integers(name, shown, std::move(shape));
  } else {
    std::vector<float> shown(values.begin(), values.end());
    const std::size_t count = shown.size();
    tap(name, {shown.data(), count, 1, count}, std::move(shape));
  }
}

// The slots of an image, padding among them.
struct Slots {
  std::vector<float> values;
  std::size_t width = 0;
  std::vector<std::int32_t> positions;
};

Slots preprocessed(const Image& file, const PatchOptions& options, const TapScope& tap) {
  emit(tap, "image.rgb", {file.size.height, file.size.width, 3}, file.rgb);
  PreprocessedImage image = preprocess_image(file, options);
  emit(tap, "image.target_size", {2},
       std::vector<std::size_t>{image.target.height, image.target.width});
  if (!image.resized.rgb.empty()) {
    emit(tap, "image.resized", {image.target.height, image.target.width, 3}, image.resized.rgb);
  }
  emit(tap, "image.num_soft_tokens", {1}, std::vector<std::size_t>{image.num_soft_tokens});
  return {std::move(image.patches.values), image.patches.width, std::move(image.patches.positions)};
}

// Real patches alone move to the front of the slots.
ImagePatches without_padding(Slots& slots, std::size_t table_rows) {
  ImagePatches image;
  image.grid = patch_grid(slots.positions, table_rows);
  std::size_t at = 0;
  for (const std::size_t slot : image.grid.real) {
    std::copy_n(slots.values.data() + slot * slots.width, slots.width,
                slots.values.data() + at * slots.width);
    std::copy_n(slots.positions.data() + 2 * slot, 2, slots.positions.data() + 2 * at);
    ++at;
  }
  slots.positions.resize(2 * at);
  image.patches = {slots.values.data(), slots.width, at, slots.width};
  image.positions = slots.positions;
  return image;
}

struct Mel {
  std::vector<float> values;  // [frames, kMelBins], valid ones
  std::size_t masked = 0;     // frames of the mask

  Rows rows() { return {values.data(), kMelBins, values.size() / kMelBins, kMelBins}; }
};

Mel mel_of_samples(const std::vector<float>& samples, const Profile& profile, const TapScope& tap) {
  const std::size_t kept = std::min(samples.size(), kMaxAudioSamples);
  emit(tap, "audio.samples", {kept},
       std::vector<float>(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(kept)));
  const LogMel mel = log_mel(samples, profile);
  if (mel.frames == 0) {
    throw Error("audio: got " + std::to_string(kept) +
                " samples, which make no frame, expected more");
  }
  emit(tap, "audio.frames_windowed", {mel.frames, kMelFrame}, mel.frames_windowed);
  emit(tap, "audio.magnitude", {mel.frames, kFftBins}, mel.magnitude);
  emit(tap, "audio.mel_linear", {mel.frames, kMelBins}, mel.mel_linear);
  return {mel.mel, mel_mask_frames(samples.size(), profile.audio_left_pad)};
}

Mel given_mel(const RawMedia& item) {
  if (item.mel->width != kMelBins) {
    throw Error("audio: log-mel: got shape [" + std::to_string(item.mel->rows) + ", " +
                std::to_string(item.mel->width) + "], expected [" + std::to_string(item.mel->rows) +
                ", " + std::to_string(kMelBins) + "]");
  }
  const std::size_t frames = item.mel->rows;
  const auto valid = item.mel_valid.empty()
                         ? frames
                         : static_cast<std::size_t>(std::ranges::count(item.mel_valid, true));
  if (valid == 0) {
    throw Error("audio: got no valid frame, expected at least one");
  }
  Mel mel{as_floats(*item.mel), frames};
  mel.values.resize(valid * kMelBins);
  return mel;
}

void emit_mel(const Mel& mel, const TapScope& tap) {
  const std::size_t frames = mel.values.size() / kMelBins;
  emit(tap, "audio.mel", {frames, kMelBins}, mel.values);
  std::vector<std::int32_t> mask(mel.masked);
  std::fill_n(mask.begin(), frames, 1);
  emit(tap, "audio.mel_mask", {mel.masked}, mask);
}

// Built when it is needed first.
template <class Encoder>
Encoder& made(std::unique_ptr<Encoder>& encoder, const Checkpoint& checkpoint,
              const Threads& threads) {
  if (!encoder) {
    encoder = std::make_unique<Encoder>(checkpoint, threads);
  }
  return *encoder;
}

}  // namespace

Rows MediaForms::encode(const RawMedia& item, const Profile& profile, const TapScope& tap) {
  return item.kind == MediaKind::kAudio ? encode_audio(item, profile, tap)
                                        : encode_image(item, profile, tap);
}

Rows MediaForms::encode_image(const RawMedia& item, const Profile& profile, const TapScope& tap) {
  const ModelConfig& config = checkpoint_.config();
  const PatchOptions options = patch_options(config, item.kind, item.budget, profile);
  Slots slots;
  if (item.patches) {
    slots = {as_floats(*item.patches), item.patches->width, item.positions};
  } else if (item.rgb) {
    slots = preprocessed(*item.rgb, options, tap);
  } else {
    refuse_form("image", "pixels or patches");
  }
  const bool unified = config.unified_vision.has_value();
  const std::size_t width =
      unified ? config.unified_vision->patch_width() : config.vision->patch_width();
  if (slots.width != width) {
    const std::string count = std::to_string(slots.positions.size() / 2);
    throw Error("image: patches: got shape [" + count + ", " + std::to_string(slots.width) +
                "], expected [" + count + ", " + std::to_string(width) + "]");
  }
  const ImagePatches image =
      without_padding(slots, unified ? config.unified_vision->mm_posemb_size
                                     : config.vision->position_embedding_size);
  tap("image.patches", image.patches);
  emit(tap, "image.positions", {image.patches.rows, 2}, slots.positions);
  if (unified) {
    return unified_vision(image, tap);
  }
  if (!computes(profile)) {
    throw Error(
        "vision.pad_mask: got additive_bool, expected exclude (--impl reference computes "
        "both)");
  }
  return vision(image, tap.under("vision."));
}

Rows MediaForms::encode_audio(const RawMedia& item, const Profile& profile, const TapScope& tap) {
  if (checkpoint_.config().unified_audio) {
    return encode_raw_audio(item, profile, tap);
  }
  if (!checkpoint_.config().audio) {
    throw Error("audio: got a checkpoint that takes none, expected one with an audio encoder");
  }
  if (!item.samples && !item.mel) {
    refuse_form("audio", "samples or log-mel");
  }
  Mel mel = item.samples ? mel_of_samples(*item.samples, profile, tap) : given_mel(item);
  emit_mel(mel, tap);
  return audio(mel.rows(), profile, tap.under("audio."));
}

Rows MediaForms::encode_raw_audio(const RawMedia& item, const Profile& profile,
                                  const TapScope& tap) {
  const std::size_t width = checkpoint_.config().unified_audio->audio_embed_dim;
  std::vector<float> values;
  std::size_t columns = width;
  if (item.samples) {
    emit(tap, "audio.samples", {item.samples->size()}, *item.samples);
    check_finite(*item.samples);
    values = *item.samples;
    values.resize((values.size() + width - 1) / width * width);
  } else if (item.audio_rows) {
    values = as_floats(*item.audio_rows);
    columns = item.audio_rows->width;
  } else {
    refuse_form("audio", "samples or rows of samples");
  }
  return unified_audio({values.data(), columns, values.size() / columns, columns},
                       profile.audio_embed_order, tap);
}

Rows MediaEncoder::vision(const ImagePatches& image, const TapScope& tap) {
  return made(vision_, checkpoint(), threads_).encode(image, tap);
}

Rows MediaEncoder::audio(const Rows& mel, const Profile& profile, const TapScope& tap) {
  return made(audio_, checkpoint(), threads_).encode(mel, profile, tap);
}

Rows MediaEncoder::unified_vision(const ImagePatches& image, const TapScope& tap) {
  return made(unified_vision_, checkpoint(), threads_).encode(image, tap);
}

Rows MediaEncoder::unified_audio(const Rows& rows, EmbedOrder order, const TapScope& tap) {
  return made(unified_audio_, checkpoint(), threads_).encode(rows, order, tap);
}

}  // namespace assay::cpu
