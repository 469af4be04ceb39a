// SPDX-License-Identifier: Apache-2.0
// The choices that published implementations make differently. The default of each is REF, the
// reference profile: what transformers computes, in fp32 (spec multimodal 0.3). The others are the
// choices of JAX, llama.cpp, MLX and friends, kept so that a port can be told which one it made.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "reference/family/config/rounding.h"

namespace assay {

enum class AudioWindowKeys { k12, k13 };  // attention_context_left - 1 keys, or all of them
enum class EmbedOrder { kNormThenProject, kProjectThenNorm };
enum class HannPhase { kPeriodic, kHalfSample };
enum class LeftPad { k160, kNone };
enum class LogFloor { kAdd, kMax };
enum class ImageResample { kBytesTwoPass, kTorchvision, kFloat, kFloatClamped };
enum class VisionPadMask { kExclude, kAdditiveBool };
enum class VisionMask {
  kSlidingClamped,
  kSlidingPastClamped,
  kSlidingUnclamped,
  kAllLayers,
  kAllLayersClamped
};

enum class TextGelu { kTanh, kF16Table };

struct Profile {
  AudioWindowKeys audio_window_keys = AudioWindowKeys::k12;
  EmbedOrder audio_embed_order = EmbedOrder::kNormThenProject;
  HannPhase audio_hann = HannPhase::kPeriodic;
  LeftPad audio_left_pad = LeftPad::k160;
  LogFloor audio_log_floor = LogFloor::kAdd;
  ImageResample image_resample = ImageResample::kBytesTwoPass;
  VisionPadMask vision_pad_mask = VisionPadMask::kExclude;
  VisionMask text_vision_mask = VisionMask::kSlidingClamped;
  TextGelu text_gelu = TextGelu::kTanh;

  bool operator==(const Profile&) const = default;
};

struct ProfileValue {
  std::string_view name;  // as users write it
  std::string_view who;   // programs that compute this; of REF's value nobody is named
};

// One row for each member of Profile. A new switch is a member, its enumeration and a row here;
// parsing, `assay explain` and the search for a port's choices read the rows.
struct ProfileSwitch {
  std::string_view key;                    // as users write it
  std::string_view ledger;                 // its entry of the divergence ledger
  std::string_view first_tap;              // where it is felt first, in layer 0
  std::array<ProfileValue, 5> all_values;  // in the order of the enumeration, REF's first
  std::size_t (*get)(const Profile&);      // the number of the value
  void (*set)(Profile&, std::size_t);

  constexpr std::span<const ProfileValue> values() const {
    std::size_t count = 0;
    while (count < all_values.size() && !all_values[count].name.empty()) {
      ++count;
    }
    return std::span(all_values).first(count);
  }
};

template <auto Member>
std::size_t get_value(const Profile& profile) {
  return static_cast<std::size_t>(profile.*Member);
}

template <auto Member>
void set_value(Profile& profile, std::size_t value) {
  profile.*Member = static_cast<std::remove_reference_t<decltype(profile.*Member)>>(value);
}

template <auto Member>
constexpr ProfileSwitch profile_switch(std::string_view key, std::string_view ledger,
                                       std::string_view first_tap,
                                       std::array<ProfileValue, 5> values) {
  return {key, ledger, first_tap, values, get_value<Member>, set_value<Member>};
}

inline constexpr std::array kProfileSwitches = {
    profile_switch<&Profile::audio_window_keys>("audio.window_keys", "DIV-M04",
                                                "audio.layer.0.attn.logits",
                                                {{{"12", ""}, {"13", "JAX, MLX, mistral.rs"}}}),
    profile_switch<&Profile::audio_embed_order>("audio.embed_order", "DIV-M01",
                                                "audio.embed.pre_norm",
                                                {{{"norm_proj", ""}, {"proj_norm", "JAX"}}}),
    profile_switch<&Profile::audio_hann>("audio.hann", "DIV-M05", "audio.frames_windowed",
                                         {{{"periodic", ""}, {"half_sample", "JAX"}}}),
    profile_switch<&Profile::audio_left_pad>("audio.left_pad", "DIV-M06", "audio.frames_windowed",
                                             {{{"160", ""}, {"0", "JAX"}}}),
    profile_switch<&Profile::audio_log_floor>("audio.log_floor", "DIV-M07", "audio.mel",
                                              {{{"add", ""}, {"max", "llama.cpp"}}}),
    profile_switch<&Profile::image_resample>(
        "image.resample", "DIV-M12", "image.resized",
        {{{"u8_two_pass", ""},
          {"torchvision", "transformers with torchvision, vLLM"},
          {"float", "JAX"},
          {"float_clamped", "keras-hub"}}}),
    profile_switch<&Profile::vision_pad_mask>("vision.pad_mask", "DIV-M02",
                                              "vision.layer.0.attn.logits",
                                              {{{"exclude", ""}, {"additive_bool", "JAX"}}}),
    profile_switch<&Profile::text_vision_mask>(
        "text.vision_mask", "DIV-M17", "text.mask.local",
        {{{"sliding_clamped", ""},
          {"sliding_past_clamped", "transformers, llama.cpp"},
          {"sliding_unclamped", "keras-hub, older transformers"},
          {"all_layers", "MLX, transformers' plain forward of the 12B"},
          {"all_layers_clamped", "gemma4-pt-claude"}}}),
    profile_switch<&Profile::text_gelu>(
        "text.gelu", "DIV-M49", "text.layer.0.ffn.act",
        {{{"tanh", ""}, {"f16_table", "llama.cpp as it is published, on CPUs"}}}),
};

// Whether the values of a resized image are no bytes.
constexpr bool is_float(ImageResample resample) {
  return resample == ImageResample::kFloat || resample == ImageResample::kFloatClamped;
}

// Whether vision blocks open full layers, too.
constexpr bool opens_full_layers(VisionMask mask) {
  return mask == VisionMask::kAllLayers || mask == VisionMask::kAllLayersClamped;
}

// What a profile looks up in a table is rounding, too.
constexpr Rounding with_choices(Rounding rounding, const Profile& profile) {
  if (profile.text_gelu == TextGelu::kF16Table) {
    rounding.gelu = GeluForm::kF16Table;
  }
  return rounding;
}

// Null when there is none of this key.
const ProfileSwitch* find_profile_switch(std::string_view key);

// "REF", or "audio.window_keys=13,audio.hann=half_sample". Throws Error naming the key or value
// that is not known. profile_text() is its inverse and names only what differs from REF.
Profile parse_profile(std::string_view text);
std::string profile_text(const Profile& profile);

}  // namespace assay
