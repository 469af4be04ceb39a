// SPDX-License-Identifier: Apache-2.0
// The choices that published implementations make differently. The default of each is REF, the
// reference profile: what transformers computes, in fp32 (spec multimodal 0.3). The others are the
// choices of JAX, llama.cpp, MLX and friends, kept so that a port can be told which one it made.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

enum class AudioWindowKeys { k12, k13 };  // attention_context_left - 1 keys, or all of them
enum class EmbedOrder { kNormThenProject, kProjectThenNorm };
enum class HannPhase { kPeriodic, kHalfSample };
enum class LeftPad { k160, kNone };
enum class LogFloor { kAdd, kMax };
enum class ImageResample { kBytesTwoPass, kTorchvision, kFloat };
enum class VisionPadMask { kExclude, kAdditiveBool };
enum class VisionMask { kSlidingClamped, kSlidingPastClamped, kSlidingUnclamped, kAllLayers };

struct Profile {
  AudioWindowKeys audio_window_keys = AudioWindowKeys::k12;
  EmbedOrder audio_embed_order = EmbedOrder::kNormThenProject;
  HannPhase audio_hann = HannPhase::kPeriodic;
  LeftPad audio_left_pad = LeftPad::k160;
  LogFloor audio_log_floor = LogFloor::kAdd;
  ImageResample image_resample = ImageResample::kBytesTwoPass;
  VisionPadMask vision_pad_mask = VisionPadMask::kExclude;
  VisionMask text_vision_mask = VisionMask::kSlidingClamped;

  bool operator==(const Profile&) const = default;
};

// One switch as users write it: "audio.window_keys", its values ("12", "13"; the first is REF).
struct ProfileSwitch {
  std::string_view key;
  std::vector<std::string_view> values;
  std::string_view ledger;  // the entries of the divergence ledger: "DIV-M04"
};

std::span<const ProfileSwitch> profile_switches();

// "REF", or "audio.window_keys=13,audio.hann=half_sample". Throws Error naming the key or value
// that is not known. profile_text() is its inverse and names only what differs from REF.
Profile parse_profile(std::string_view text);
std::string profile_text(const Profile& profile);

}  // namespace assay
