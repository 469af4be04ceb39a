// SPDX-License-Identifier: Apache-2.0
#include "reference/family/synth/synth_encoders.h"

#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/config/sizes.h"

namespace assay {
namespace {

using Choice = std::optional<std::size_t>;
using NamedChoice = std::pair<const char*, Choice>;

const ReleasedSize& size_with_encoders(std::string_view name) {
  const ReleasedSize* size = find_size(name);
  if (size == nullptr) {
    throw Error("synth: size: got \"" + printable(name) + "\" with encoders, expected one of " +
                size_names());
  }
  return *size;
}

void refuse(std::string_view size, const char* part, std::initializer_list<NamedChoice> choices) {
  for (const auto& [name, choice] : choices) {
    if (choice) {
      throw Error(std::string("synth: ") + name + ": got " + std::to_string(*choice) +
                  ", expected none: " + std::string(size) + " has no " + part);
    }
  }
}

void refuse_unknown(const ReleasedSize& size, const SynthEncoders& o) {
  if (size.unified) {
    refuse(size.name, "vision encoder",
           {{"vision_layers", o.vision_layers},
            {"vision_heads", o.vision_heads},
            {"vision_head_dim", o.vision_head_dim},
            {"vision_ffn", o.vision_ffn}});
    refuse(size.name, "audio encoder",
           {{"audio_layers", o.audio_layers},
            {"audio_heads", o.audio_heads},
            {"audio_output", o.audio_output}});
  } else if (size.audio == ReleasedAudio::kNone) {
    refuse(size.name, "audio encoder",
           {{"audio_width", o.audio_width},
            {"audio_layers", o.audio_layers},
            {"audio_heads", o.audio_heads},
            {"audio_output", o.audio_output}});
  }
}

void update(Json& object, const Json::Object& members) {
  for (const auto& [key, value] : members) {
    object[key] = value;
  }
}

Json vision_config(const ReleasedVision& size, const SynthEncoders& o) {
  const std::size_t heads = o.vision_heads.value_or(size.heads);
  return Json::Object{
      {"model_type", "gemma4_vision"},
      {"hidden_size", o.vision_width.value_or(size.hidden)},
      {"intermediate_size", o.vision_ffn.value_or(size.ffn)},
      {"num_hidden_layers", o.vision_layers.value_or(size.layers)},
      {"num_attention_heads", heads},
      {"num_key_value_heads", heads},
      {"head_dim", o.vision_head_dim.value_or(size.head_dim)},
      {"hidden_activation", "gelu_pytorch_tanh"},
      {"attention_bias", false},
      {"rms_norm_eps", 1e-6},
      {"rope_parameters", Json::Object{{"rope_type", "default"}, {"rope_theta", 100.0}}},
      {"patch_size", kPatchSize},
      {"pooling_kernel_size", kPoolingKernelSize},
      {"position_embedding_size", o.vision_positions.value_or(10240)},
      {"default_output_length", kImageBudget},
      {"use_clipped_linears", size.clipped},
      {"standardize", size.standardize}};
}

Json audio_config(const SynthEncoders& o) {
  return Json::Object{{"model_type", "gemma4_audio"},
                      {"hidden_size", o.audio_width.value_or(1024)},
                      {"num_hidden_layers", o.audio_layers.value_or(12)},
                      {"num_attention_heads", o.audio_heads.value_or(8)},
                      {"hidden_act", "silu"},
                      {"subsampling_conv_channels", Json::Array{128, 32}},
                      {"conv_kernel_size", 5},
                      {"residual_weight", 0.5},
                      {"attention_chunk_size", 12},
                      {"attention_context_left", 13},
                      {"attention_context_right", 0},
                      {"attention_logit_cap", 50.0},
                      {"attention_invalid_logits_value", -1e9},
                      {"use_clipped_linears", true},
                      {"rms_norm_eps", 1e-6},
                      {"gradient_clipping", 1e10},
                      {"output_proj_dims", o.audio_output.value_or(1536)}};
}

Json unified_vision_config(const SynthEncoders& o) {
  const std::size_t width = o.vision_width.value_or(3840);
  return Json::Object{{"model_type", "gemma4_unified_vision"},
                      {"patch_size", kPatchSize},
                      {"pooling_kernel_size", kPoolingKernelSize},
                      {"model_patch_size", kPatchSize * kPoolingKernelSize},
                      {"mm_embed_dim", width},
                      {"mm_posemb_size", o.vision_positions.value_or(1120)},
                      {"num_soft_tokens", kImageBudget},
                      {"output_proj_dims", width},
                      {"rms_norm_eps", 1e-6}};
}

Json unified_audio_config(const SynthEncoders& o) {
  const std::size_t width = o.audio_width.value_or(640);
  return Json::Object{{"model_type", "gemma4_unified_audio"},
                      {"audio_embed_dim", width},
                      {"audio_samples_per_token", width},
                      {"rms_norm_eps", 1e-6}};
}

Json pixels(std::size_t budget) {
  return Json::Object{{"do_convert_rgb", true},
                      {"do_normalize", false},
                      {"do_rescale", true},
                      {"do_resize", true},
                      {"image_mean", Json::Array{0.0, 0.0, 0.0}},
                      {"image_std", Json::Array{1.0, 1.0, 1.0}},
                      {"max_soft_tokens", budget},
                      {"patch_size", kPatchSize},
                      {"pooling_kernel_size", kPoolingKernelSize},
                      {"resample", 3},
                      {"rescale_factor", 1.0 / 255}};
}

Json audio(bool unified, const SynthEncoders& o) {
  Json part =
      Json::Object{{"sampling_rate", 16000}, {"padding_side", "right"}, {"padding_value", 0.0}};
  if (unified) {
    part["audio_samples_per_token"] = o.audio_width.value_or(640);
    return part;
  }
  update(part, {{"feature_size", 128},
                {"frame_length", 320},
                {"hop_length", 160},
                {"fft_length", 512},
                {"min_frequency", 0.0},
                {"max_frequency", 8000.0},
                {"mel_floor", 0.001},
                {"preemphasis", 0.0},
                {"dither", 0.0},
                {"input_scale_factor", 1.0},
                {"per_bin_mean", nullptr},
                {"per_bin_stddev", nullptr}});
  return part;
}

}  // namespace

void add_encoder_configs(Json& config, std::string_view size, const SynthEncoders& encoders) {
  const ReleasedSize& released = size_with_encoders(size);
  refuse_unknown(released, encoders);
  const bool unified = released.unified;
  if (encoders.vision_width != 0u) {
    config["vision_config"] =
        unified ? unified_vision_config(encoders) : vision_config(released.vision, encoders);
  }
  if (released.audio != ReleasedAudio::kNone && encoders.audio_width != 0u) {
    config["audio_config"] = unified ? unified_audio_config(encoders) : audio_config(encoders);
  }
}

std::string synthetic_processor_config(std::string_view size, const SynthEncoders& encoders) {
  const ReleasedSize& released = size_with_encoders(size);
  const bool unified = released.unified;
  const std::string family = unified ? "Gemma4Unified" : "Gemma4";
  Json image = pixels(encoders.image_soft_tokens.value_or(kImageBudget));
  image["image_processor_type"] = family + "ImageProcessor";
  Json video = pixels(kFrameBudget);
  update(video, {{"do_normalize", true},
                 {"do_sample_frames", true},
                 {"num_frames", kVideoFrames},
                 {"video_processor_type", family + "VideoProcessor"}});
  Json processor = Json::Object{{"processor_class", family + "Processor"},
                                {"image_seq_length", kImageBudget},
                                {"audio_seq_length", 750},
                                {"audio_ms_per_token", 40},
                                {"image_processor", std::move(image)},
                                {"video_processor", std::move(video)}};
  if (released.audio != ReleasedAudio::kNone) {
    processor["feature_extractor"] = audio(unified, encoders);
    processor["feature_extractor"]["feature_extractor_type"] = family + "AudioFeatureExtractor";
  }
  return json_text(processor, {.indent = 2, .sorted = true}) + "\n";
}

}  // namespace assay
