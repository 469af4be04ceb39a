// SPDX-License-Identifier: Apache-2.0
// One value of a good config is changed, or erased, at a time; the message is the whole contract.
#include <gtest/gtest.h>

#include "reference/family/base/json.h"
#include "reference/family/config/load_config.h"
#include "reference/family/synth/synth_config.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_json.h"
#include "reference/family/testing/test_models.h"

namespace assay {
namespace {

struct Change {
  const char* size;
  const char* pointer;
  const char* value;    // JSON; empty: erase
  const char* message;  // after "config.json: "
};

std::string good(const std::string& size) {
  SynthOptions options = tiny_widths();
  const bool drafter = size.ends_with("-drafter");
  options.num_hidden_layers = drafter ? 4 : size == "e2b" ? 10 : 6;
  if (!drafter) {
    options.encoders = SynthEncoders();
  }
  if (size == "26b") {
    options.num_experts = 8;
    options.top_k_experts = 2;
  }
  if (size == "e2b-drafter") {
    options.num_centroids = 10;
    options.centroid_intermediate_top_k = 3;
  }
  return synthetic_config(size, options);
}

void expect_message(const Change& change) {
  Json document = parse_json(good(change.size), "test");
  const std::string path = change.pointer;
  if (*change.value == '\0') {
    const std::size_t last = path.rfind('/');
    part_at(document, path.substr(0, last)).erase(path.substr(last + 1));
  } else {
    part_at(document, path) = parse_json(change.value, "test");
  }
  EXPECT_EQ(error_of([&] { parse_config(json_text(document)); }),
            std::string("config.json: ") + change.message)
      << change.pointer << " = " << change.value;
}

// clang-format off
const Change kNumbers[] = {
    {"e2b", "/text_config/hidden_size", "-3", "text_config.hidden_size: got -3, expected a positive integer"},
    {"e2b", "/text_config/hidden_size", "0", "text_config.hidden_size: got 0, expected a positive integer"},
    {"e2b", "/text_config/hidden_size", "16.0", "text_config.hidden_size: got 16.0, expected a positive integer"},
    {"e2b", "/text_config/hidden_size", "\"16\"", "text_config.hidden_size: got \"16\", expected a positive integer"},
    {"e2b", "/text_config/hidden_size", "null", "text_config.hidden_size: got null, expected a positive integer"},
    {"e2b", "/text_config/hidden_size", "", "text_config.hidden_size: got nothing, expected a positive integer"},
    {"e2b", "/text_config/hidden_size", "[16]", "text_config.hidden_size: got an array of 1 values, expected a positive integer"},
    {"e2b", "/text_config/hidden_size", "9223372036854775807", "text_config.hidden_size: got 9223372036854775807, expected at most 1048576"},
    {"e2b", "/text_config/hidden_size", "1e300", "text_config.hidden_size: got 1e+300, expected a positive integer"},
    {"e2b", "/text_config/vocab_size", "0", "text_config.vocab_size: got 0, expected a positive integer"},
    {"e2b", "/text_config/vocab_size", "99999999", "text_config.vocab_size: got 99999999, expected at most 16777216"},
    {"e2b", "/text_config/intermediate_size", "-1", "text_config.intermediate_size: got -1, expected a positive integer"},
    {"e2b", "/text_config/num_hidden_layers", "0", "text_config.num_hidden_layers: got 0, expected a positive integer"},
    {"e2b", "/text_config/num_hidden_layers", "1000000000", "text_config.num_hidden_layers: got 1000000000, expected at most 4096"},
    {"e2b", "/text_config/num_attention_heads", "0", "text_config.num_attention_heads: got 0, expected a positive integer"},
    {"e2b", "/text_config/num_attention_heads", "3", "text_config.num_attention_heads: got 3, expected a multiple of the 2 key/value heads of layer 0"},
    {"e2b", "/text_config/num_key_value_heads", "0", "text_config.num_key_value_heads: got 0, expected a positive integer"},
    {"31b", "/text_config/num_global_key_value_heads", "3", "text_config.num_attention_heads: got 4, expected a multiple of the 3 key/value heads of layer 5"},
    {"e2b", "/text_config/head_dim", "0", "text_config.head_dim: got 0, expected an integer of at least 2"},
    {"e2b", "/text_config/head_dim", "7", "text_config.head_dim: got 7, expected an even number"},
    {"e2b", "/text_config/global_head_dim", "15", "text_config.global_head_dim: got 15, expected an even number"},
    {"e2b", "/text_config/global_head_dim", "-16", "text_config.global_head_dim: got -16, expected an integer of at least 2"},
    {"e2b", "/text_config/sliding_window", "0", "text_config.sliding_window: got 0, expected a positive integer"},
    {"e2b", "/text_config/sliding_window", "2147483648", "text_config.sliding_window: got 2147483648, expected at most 2147483647"},
    {"e2b", "/text_config/max_position_embeddings", "", "text_config.max_position_embeddings: got nothing, expected a positive integer"},
    {"e2b", "/text_config/rms_norm_eps", "0.0", "text_config.rms_norm_eps: got 0.0, expected a number between 0.0 and 1.0"},
    {"e2b", "/text_config/rms_norm_eps", "-1e-6", "text_config.rms_norm_eps: got -1e-06, expected a number between 0.0 and 1.0"},
    {"e2b", "/text_config/rms_norm_eps", "\"NaN\"", "text_config.rms_norm_eps: got \"NaN\", expected a number"},
    {"e2b", "/text_config/final_logit_softcapping", "0", "text_config.final_logit_softcapping: got 0, expected a number between 0.0 and 1e+30"},
    {"e2b", "/text_config/final_logit_softcapping", "-30.0", "text_config.final_logit_softcapping: got -30.0, expected a number between 0.0 and 1e+30"},
    {"e2b", "/text_config/pad_token_id", "40", "text_config.pad_token_id: got 40, expected at most 39"},
    {"e2b", "/text_config/hidden_size_per_layer_input", "", "text_config.hidden_size_per_layer_input: got nothing, expected a non-negative integer or null"},
    {"e2b", "/text_config/hidden_size_per_layer_input", "-4", "text_config.hidden_size_per_layer_input: got -4, expected a non-negative integer"},
    {"e2b", "/text_config/vocab_size_per_layer_input", "", "text_config.vocab_size_per_layer_input: got nothing, expected a positive integer"},
    {"12b", "/text_config/hidden_size_per_layer_input", "4", "text_config.hidden_size_per_layer_input: got 4, expected 0 for this model type"},
};

const Change kLayers[] = {
    {"e2b", "/text_config/layer_types", "", "text_config.layer_types: got nothing, expected an array"},
    {"e2b", "/text_config/layer_types", "[]", "text_config.layer_types: got an array of 0 values, expected one value for each of 10 layers"},
    {"e2b", "/text_config/layer_types/3", "\"chunked_attention\"", "text_config.layer_types.3: got \"chunked_attention\", expected \"sliding_attention\" or \"full_attention\""},
    {"e2b", "/text_config/layer_types/3", "1", "text_config.layer_types.3: got 1, expected \"sliding_attention\" or \"full_attention\""},
    {"e2b", "/text_config/layer_types/9", "\"sliding_attention\"", "text_config.layer_types: got an array of 10 values, expected full attention in the last layer"},
    {"e2b", "/text_config/num_kv_shared_layers", "10", "text_config.num_kv_shared_layers: got 10, expected at most 9"},
    {"e2b", "/text_config/num_kv_shared_layers", "-1", "text_config.num_kv_shared_layers: got -1, expected a non-negative integer"},
    {"e2b", "/text_config/num_kv_shared_layers", "7", "text_config.num_kv_shared_layers: got 7, expected a layer before layer 3 of the kind of layer 4, whose keys and values it reads"},
    {"31b", "/text_config/per_layer_config", "[]", "text_config.per_layer_config: got an array of 0 values, expected an object"},
    {"31b", "/text_config/per_layer_config", "{\"6\":{}}", "text_config.per_layer_config.6: got an object, expected the index of one of 6 layers as key"},
    {"31b", "/text_config/per_layer_config", "{\"-1\":{}}", "text_config.per_layer_config.-1: got an object, expected the index of one of 6 layers as key"},
    {"31b", "/text_config/per_layer_config", "{\"5\":3}", "text_config.per_layer_config.5: got 3, expected an object"},
    {"31b", "/text_config/per_layer_config", "{\"5\":{\"head_dim\":9}}", "text_config.per_layer_config.5.head_dim: got 9, expected an even number"},
    {"31b", "/text_config/per_layer_config", "{\"5\":{\"sliding_window\":9}}", "text_config.per_layer_config.5.sliding_window: got 9, expected only head_dim and num_key_value_heads"},
    {"31b", "/text_config/per_layer_config", "{\"5\":{\"head_dim\":32,\"num_key_value_heads\":4}}", "text_config.per_layer_config.5.head_dim: got 32, expected 16, as the other keys and layers of its kind say"},
    {"31b", "/text_config/per_layer_config", "{\"5\":{\"head_dim\":16,\"num_key_value_heads\":2}}", "text_config.per_layer_config.5.num_key_value_heads: got 2, expected 4, as the other keys and layers of its kind say"},
    {"31b", "/text_config/per_layer_config", "{\"0\":{\"head_dim\":16},\"5\":{\"head_dim\":16,\"num_key_value_heads\":4}}", "text_config.per_layer_config.0.head_dim: got 16, expected 8, as the other keys and layers of its kind say"},
};

const Change kRules[] = {
    {"e2b", "/model_type", "\"gemma3\"", "model_type: got \"gemma3\", expected one of gemma4, gemma4_text, gemma4_unified, gemma4_unified_text, gemma4_assistant, gemma4_unified_assistant"},
    {"e2b", "/model_type", "", "model_type: got nothing, expected a string"},
    {"e2b", "/text_config", "", "text_config: got nothing, expected an object"},
    {"e2b", "/text_config", "[1,2]", "text_config: got an array of 2 values, expected an object"},
    {"e2b", "/text_config/model_type", "\"gemma4_unified_text\"", "text_config.model_type: got \"gemma4_unified_text\", expected \"gemma4_text\""},
    {"e2b", "/tie_word_embeddings", "0", "tie_word_embeddings: got 0, expected true or false"},
    {"e2b", "/text_config/tie_word_embeddings", "\"no\"", "text_config.tie_word_embeddings: got \"no\", expected true or false"},
    {"e2b", "/text_config/rope_scaling", "{\"rope_type\": \"linear\", \"factor\": 8.0}", "text_config.rope_scaling: got an object, expected rope_parameters alone"},
    {"e2b", "/vision_config/rope_scaling", "{\"factor\": 2.0}", "vision_config.rope_scaling: got an object, expected null"},
    {"e2b", "/text_config/hidden_activation", "\"silu\"", "text_config.hidden_activation: got \"silu\", expected \"gelu_pytorch_tanh\""},
    {"e2b", "/text_config/attention_bias", "true", "text_config.attention_bias: got true, expected false"},
    {"e2b", "/text_config/attn_logit_softcapping", "50.0", "text_config.attn_logit_softcapping: got 50.0, expected null"},
    {"e2b", "/text_config/use_bidirectional_attention", "\"all\"", "text_config.use_bidirectional_attention: got \"all\", expected null or \"vision\""},
    {"e2b", "/text_config/attention_k_eq_v", "1", "text_config.attention_k_eq_v: got 1, expected true or false"},
    {"e2b", "/text_config/rope_parameters", "", "text_config.rope_parameters: got nothing, expected an object"},
    {"e2b", "/text_config/rope_parameters/full_attention", "", "text_config.rope_parameters.full_attention: got nothing, expected an object"},
    {"e2b", "/text_config/rope_parameters/full_attention/partial_rotary_factor", "", "text_config.rope_parameters.full_attention.partial_rotary_factor: got nothing, expected a number"},
    {"e2b", "/text_config/rope_parameters/full_attention/partial_rotary_factor", "1.5", "text_config.rope_parameters.full_attention.partial_rotary_factor: got 1.5, expected a number above 0 and at most 1"},
    {"e2b", "/text_config/rope_parameters/full_attention/partial_rotary_factor", "0", "text_config.rope_parameters.full_attention.partial_rotary_factor: got 0, expected a number between 0.0 and 2.0"},
    {"e2b", "/text_config/rope_parameters/sliding_attention/partial_rotary_factor", "0.5", "text_config.rope_parameters.sliding_attention.partial_rotary_factor: got 0.5, expected 1.0"},
    {"e2b", "/text_config/rope_parameters/full_attention/rope_type", "\"default\"", "text_config.rope_parameters.full_attention.rope_type: got \"default\", expected \"proportional\""},
    {"e2b", "/text_config/rope_parameters/full_attention/factor", "8.0", "text_config.rope_parameters.full_attention.factor: got 8.0, expected 1.0"},
    {"e2b", "/text_config/rope_parameters/sliding_attention/rope_theta", "-1", "text_config.rope_parameters.sliding_attention.rope_theta: got -1, expected a number between 1.0 and 1000000000000.0"},
    {"26b", "/text_config/num_experts", "null", "text_config.num_experts: got null, expected a positive integer"},
    {"26b", "/text_config/top_k_experts", "9", "text_config.top_k_experts: got 9, expected at most 8"},
    {"26b", "/text_config/top_k_experts", "0", "text_config.top_k_experts: got 0, expected a positive integer"},
    {"26b", "/text_config/moe_intermediate_size", "", "text_config.moe_intermediate_size: got nothing, expected a positive integer"},
    {"12b", "/text_config/enable_moe_block", "true", "text_config.enable_moe_block: got true, expected false for this model type"},
    {"e2b", "/image_token_id", "-200", "image_token_id: got -200, expected a non-negative integer"},
    {"e2b", "/suppress_tokens", "{}", "suppress_tokens: got an object, expected an array"},
    {"e2b-drafter", "/backbone_hidden_size", "", "backbone_hidden_size: got nothing, expected a positive integer"},
    {"e2b-drafter", "/num_centroids", "7", "num_centroids: got 7, expected a divisor of the vocab_size 40"},
    {"e2b-drafter", "/num_centroids", "41", "num_centroids: got 41, expected at most 40"},
    {"e2b-drafter", "/centroid_intermediate_top_k", "11", "centroid_intermediate_top_k: got 11, expected at most 10"},
    {"e2b-drafter", "/text_config/num_kv_shared_layers", "3", "text_config.num_kv_shared_layers: got 3, expected 4, all layers of a drafter"},
    {"31b-drafter", "/text_config/hidden_size_per_layer_input", "4", "text_config.hidden_size_per_layer_input: got 4, expected 0 for this model type"},
};
const Change kVisionEncoder[] = {
    {"31b", "/vision_config", "[]", "vision_config: got an array of 0 values, expected an object"},
    {"31b", "/vision_config", "\"none\"", "vision_config: got \"none\", expected an object"},
    {"31b", "/vision_config/model_type", "\"siglip_vision_model\"", "vision_config.model_type: got \"siglip_vision_model\", expected \"gemma4_vision\""},
    {"31b", "/vision_config/hidden_size", "0", "vision_config.hidden_size: got 0, expected a positive integer"},
    {"31b", "/vision_config/hidden_size", "1e300", "vision_config.hidden_size: got 1e+300, expected a positive integer"},
    {"31b", "/vision_config/hidden_size", "1048577", "vision_config.hidden_size: got 1048577, expected at most 1048576"},
    {"31b", "/vision_config/intermediate_size", "-4", "vision_config.intermediate_size: got -4, expected a positive integer"},
    {"31b", "/vision_config/num_hidden_layers", "99999", "vision_config.num_hidden_layers: got 99999, expected at most 4096"},
    {"31b", "/vision_config/num_attention_heads", "1.5", "vision_config.num_attention_heads: got 1.5, expected a positive integer"},
    {"31b", "/vision_config/num_key_value_heads", "4", "vision_config.num_key_value_heads: got 4, expected 16, the num_attention_heads"},
    {"31b", "/vision_config/num_key_value_heads", "", "vision_config.num_key_value_heads: got nothing, expected 16, the num_attention_heads"},
    {"31b", "/vision_config/head_dim", "70", "vision_config.head_dim: got 70, expected a multiple of 4"},
    {"31b", "/vision_config/head_dim", "0", "vision_config.head_dim: got 0, expected an integer of at least 4"},
    {"31b", "/vision_config/hidden_activation", "\"gelu\"", "vision_config.hidden_activation: got \"gelu\", expected \"gelu_pytorch_tanh\""},
    {"31b", "/vision_config/attention_bias", "true", "vision_config.attention_bias: got true, expected false"},
    {"31b", "/vision_config/rms_norm_eps", "0", "vision_config.rms_norm_eps: got 0, expected a number between 0.0 and 1.0"},
    {"31b", "/vision_config/patch_size", "0", "vision_config.patch_size: got 0, expected a positive integer"},
    {"31b", "/vision_config/patch_size", "4096", "vision_config.patch_size: got 4096, expected at most 1024"},
    {"31b", "/vision_config/pooling_kernel_size", "65", "vision_config.pooling_kernel_size: got 65, expected at most 64"},
    {"31b", "/vision_config/position_embedding_size", "-1", "vision_config.position_embedding_size: got -1, expected a positive integer"},
    {"31b", "/vision_config/use_clipped_linears", "1", "vision_config.use_clipped_linears: got 1, expected true or false"},
    {"31b", "/vision_config/standardize", "\"yes\"", "vision_config.standardize: got \"yes\", expected true or false"},
    {"31b", "/vision_config/rope_parameters", "100.0", "vision_config.rope_parameters: got 100.0, expected an object"},
    {"31b", "/vision_config/rope_parameters/rope_type", "\"linear\"", "vision_config.rope_parameters.rope_type: got \"linear\", expected \"axial\" or \"default\""},
    {"31b", "/vision_config/rope_parameters/rope_type", "3", "vision_config.rope_parameters.rope_type: got 3, expected a string"},
    {"31b", "/vision_config/rope_parameters/rope_theta", "-1", "vision_config.rope_parameters.rope_theta: got -1, expected a number between 1.0 and 1000000000000.0"},
    {"31b", "/vision_config/rope_parameters/factor", "2.0", "vision_config.rope_parameters.factor: got 2.0, expected 1.0"},
    {"31b", "/vision_config/rope_parameters/partial_rotary_factor", "0.5", "vision_config.rope_parameters.partial_rotary_factor: got 0.5, expected 1.0"},
    {"31b", "/vision_config/rope_parameters/full_attention", "{}", "vision_config.rope_parameters.full_attention: got an object, expected one rotation for all layers"},
    {"31b", "/vision_config/rope_theta", "70.0", "vision_config.rope_parameters.rope_theta: got 100.0, expected 70.0, the rope_theta beside it"},
};

const Change kAudioEncoder[] = {
    {"e2b", "/audio_config", "true", "audio_config: got true, expected an object"},
    {"e2b", "/audio_config/model_type", "\"whisper\"", "audio_config.model_type: got \"whisper\", expected \"gemma4_audio\""},
    {"e2b", "/audio_config/hidden_act", "\"relu\"", "audio_config.hidden_act: got \"relu\", expected \"silu\""},
    {"e2b", "/audio_config/hidden_size", "33", "audio_config.hidden_size: got 33, expected an even number: positions are sines and cosines"},
    {"e2b", "/audio_config/num_attention_heads", "7", "audio_config.num_attention_heads: got 7, expected a divisor of the hidden_size 1024"},
    {"e2b", "/audio_config/num_hidden_layers", "0", "audio_config.num_hidden_layers: got 0, expected a positive integer"},
    {"e2b", "/audio_config/subsampling_conv_channels", "[128]", "audio_config.subsampling_conv_channels: got an array of 1 values, expected the channels of two convolutions"},
    {"e2b", "/audio_config/subsampling_conv_channels", "[128, 0]", "audio_config.subsampling_conv_channels.1: got 0, expected a positive integer of at most 16384"},
    {"e2b", "/audio_config/subsampling_conv_channels", "[-1, 32]", "audio_config.subsampling_conv_channels.0: got -1, expected a positive integer of at most 16384"},
    {"e2b", "/audio_config/subsampling_conv_channels", "[99999, 32]", "audio_config.subsampling_conv_channels.0: got 99999, expected a positive integer of at most 16384"},
    {"e2b", "/audio_config/conv_kernel_size", "0", "audio_config.conv_kernel_size: got 0, expected a positive integer"},
    {"e2b", "/audio_config/residual_weight", "\"half\"", "audio_config.residual_weight: got \"half\", expected a number"},
    {"e2b", "/audio_config/attention_context_right", "2", "audio_config.attention_context_right: got 2, expected 0"},
    {"e2b", "/audio_config/attention_context_left", "1", "audio_config.attention_context_left: got 1, expected an integer of at least 2"},
    {"e2b", "/audio_config/attention_chunk_size", "20", "audio_config.attention_chunk_size: got 20, expected attention_context_left - 1 = 12"},
    {"e2b", "/audio_config/attention_logit_cap", "0.0", "audio_config.attention_logit_cap: got 0.0, expected a number between 0.0 and 100000.0"},
    {"e2b", "/audio_config/attention_invalid_logits_value", "1e-9", "audio_config.attention_invalid_logits_value: got 1e-09, expected a number between -3e+38 and -1000000.0"},
    {"e2b", "/audio_config/rms_norm_eps", "2", "audio_config.rms_norm_eps: got 2, expected a number between 0.0 and 1.0"},
    {"e2b", "/audio_config/gradient_clipping", "-1.0", "audio_config.gradient_clipping: got -1.0, expected a number between 0.0 and 3e+38"},
    {"e2b", "/audio_config/output_proj_dims", "{}", "audio_config.output_proj_dims: got an object, expected a positive integer"},
    {"e2b", "/eoa_token_id", "5", "eoa_token_id: got 5, expected 258883, the eoa_token_index"},
    {"e2b", "/boi_token_id", "-5", "boi_token_id: got -5, expected a non-negative integer"},
};

const Change kUnified[] = {
    {"12b", "/vision_config/model_type", "\"gemma4_vision\"", "vision_config.model_type: got \"gemma4_vision\", expected \"gemma4_unified_vision\""},
    {"12b", "/vision_config/model_patch_size", "16", "vision_config.model_patch_size: got 16, expected 48, patch_size * pooling_kernel_size"},
    {"12b", "/vision_config/output_proj_dims", "64", "vision_config.output_proj_dims: got 64, expected 3840, the mm_embed_dim"},
    {"12b", "/vision_config/mm_embed_dim", "0", "vision_config.mm_embed_dim: got 0, expected a positive integer"},
    {"12b", "/vision_config/mm_posemb_size", "0", "vision_config.mm_posemb_size: got 0, expected a positive integer"},
    {"12b", "/vision_config/num_soft_tokens", "256", "vision_config.num_soft_tokens: got 256, expected 70, 140, 280, 560 or 1120 soft tokens"},
    {"12b", "/vision_config/rms_norm_eps", "-1", "vision_config.rms_norm_eps: got -1, expected a number between 0.0 and 1.0"},
    {"12b", "/audio_config/model_type", "\"gemma4_audio\"", "audio_config.model_type: got \"gemma4_audio\", expected \"gemma4_unified_audio\""},
    {"12b", "/audio_config/audio_embed_dim", "0", "audio_config.audio_embed_dim: got 0, expected a positive integer"},
    {"12b", "/audio_config/audio_samples_per_token", "320", "audio_config.audio_samples_per_token: got 320, expected 640, the audio_embed_dim"},
    {"12b", "/audio_config/hidden_size", "64", "audio_config.hidden_size: got 64, expected 640, the audio_embed_dim"},
};
// clang-format on

TEST(MalformedConfig, NumbersAreNamed) {
  for (const Change& change : kNumbers) {
    expect_message(change);
  }
}

TEST(MalformedConfig, LayersAreNamed) {
  for (const Change& change : kLayers) {
    expect_message(change);
  }
}

TEST(MalformedConfig, RulesAreNamed) {
  for (const Change& change : kRules) {
    expect_message(change);
  }
}

TEST(MalformedConfig, VisionEncodersAreNamed) {
  for (const Change& change : kVisionEncoder) {
    expect_message(change);
  }
}

TEST(MalformedConfig, AudioEncodersAreNamed) {
  for (const Change& change : kAudioEncoder) {
    expect_message(change);
  }
}

TEST(MalformedConfig, EmbeddersWithoutEncoderAreNamed) {
  for (const Change& change : kUnified) {
    expect_message(change);
  }
}

TEST(MalformedConfig, DocumentsAreNamed) {
  const std::string deep = std::string(1000000, '[');
  const std::pair<std::string, std::string> cases[] = {
      {"", "json: got an error at byte 1, expected valid json in utf-8"},
      {"{", "json: got an error at byte 2, expected valid json in utf-8"},
      {"{\"a\": NaN}", "json: got an error at byte 7, expected valid json in utf-8"},
      {"{\"a\": \"\xC3\"}", "json: got an error at byte 9, expected valid json in utf-8"},
      {"{\"a\": 1e999}", "json: got a number out of range, expected valid json"},
      {"{\"a\": 1, \"a\": 2}", "json: got the key \"a\" twice in one object, expected it once"},
      {deep, "json: got objects or arrays more than 16 deep, expected fewer"},
      {"[]", "got an array of 0 values, expected an object"},
      {"3", "got 3, expected an object"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_EQ(error_of([&] { parse_config(text); }), "config.json: " + message);
  }
}

TEST(MalformedConfig, FileIsReadOnlyWhenSmall) {
  const TestDirectory directory;
  EXPECT_EQ(error_of([&] { load_config(directory.path()); }),
            "config.json: got \"No such file or directory\", expected a readable file");
  directory.write("config.json", "{}");
  std::filesystem::resize_file(directory.path() / "config.json", std::uintmax_t{1} << 40);
  EXPECT_EQ(error_of([&] { load_config(directory.path()); }),
            "config.json: got 1099511627776 bytes, expected at most 4194304");
}

}  // namespace
}  // namespace assay
