// SPDX-License-Identifier: Apache-2.0
// The tables the catalogue is put together from; each has its own source file.
#pragma once

#include <span>

#include "conformance/catalogue/catalogue.h"

namespace assay::conformance {

// Words for the two yes-or-no columns of a tap's row.
constexpr bool kMust = true;
constexpr bool kMay = false;
constexpr bool kReal = false;
constexpr bool kWhole = true;

// The first model_taps_before_layers() rows of model_taps() come before layer 0, the rest after
// the last layer; likewise for the drafter.
std::span<const TapEntry> model_taps();
std::size_t model_taps_before_layers();
std::span<const TapEntry> layer_taps();
std::span<const TapEntry> drafter_taps();
std::size_t drafter_taps_before_layers();
std::span<const TapEntry> round_taps();

std::span<const TapEntry> request_taps();  // of the text around the network
std::span<const TapEntry> preprocessing_taps();
std::span<const TapEntry> vision_taps_before_layers();
std::span<const TapEntry> vision_layer_taps();
std::span<const TapEntry> vision_taps_after_layers();  // with the embedder, which the 12B has, too
std::span<const TapEntry> audio_subsampling_taps();
std::span<const TapEntry> audio_taps_before_layers();
std::span<const TapEntry> audio_layer_taps();
std::span<const TapEntry> audio_taps_after_layers();  // likewise
std::span<const TapEntry> unified_taps();

std::span<const Rule> input_rules();
std::span<const Rule> layer_rules();
std::span<const Mistake> early_mistakes();      // M-01 to M-57: norms, embedding, RoPE
std::span<const Mistake> attention_mistakes();  // M-60 to M-93
std::span<const Mistake> late_mistakes();       // M-100 to M-154

std::span<const Rule> image_rules();                  // RI: from a file's pixels to patches
std::span<const Rule> vision_rules();                 // RV, and RU for the 12B's images
std::span<const Rule> audio_rules();                  // RA: to log-mel; RC: the encoder
std::span<const Rule> merge_rules();                  // RX: video, expansion, merging, masks
std::span<const Mistake> image_mistakes();            // I1 to I24
std::span<const Mistake> vision_mistakes();           // V1 to V61
std::span<const Mistake> audio_front_end_mistakes();  // A1 to A20
std::span<const Mistake> audio_encoder_mistakes();    // C1 to C56
std::span<const Mistake> merge_mistakes();            // X1 to X17
std::span<const Divergence> divergences();            // DIV-M01 to DIV-M46

std::span<const Rule> tokenizer_rules();     // RT
std::span<const Rule> prompt_rules();        // RP: the chat template
std::span<const Rule> answer_rules();        // RN: reasoning, content, calls, boxes
std::span<const Rule> sampling_rules();      // RS: the next token, the last token
std::span<const Mistake> prompt_mistakes();  // P01 to P58

}  // namespace assay::conformance
