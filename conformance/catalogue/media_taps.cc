// SPDX-License-Identifier: Apache-2.0
// Spec multimodal 7.1: taps of preprocessing, from pixels to patches and from samples to log-mel.
//
// Media taps belong to one item of a prompt and are called media.{k}.<tap> there. All but
// audio.mel_mask leave out padding: N patches of one image, T frames of one audio clip.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

using enum Presence;

constexpr TapEntry kTaps[] = {
    {"video.frame_indices", "[F]", kMay, kWhole, kVideo,
     "floor(j T / F), j = 0 … F - 1, in integers", "RX-1 RX-2", "video metadata, frames_indices",
     "-", "-"},
    {"video.timestamps", "[F]", kMay, kReal, kVideo, "seconds: frame index / fps, 24 if unknown",
     "RX-4", "video metadata, timestamps", "-", "-"},
    {"video.patches", "[F*N, 3 P P]", kMay, kReal, kVideoBatch,
     "image.patches of all frames, one after another", "RX-3 RX-5", "pixel_values_videos", "-",
     "-"},
    {"video.positions", "[F*N, 2]", kMay, kWhole, kVideoBatch,
     "image.positions of all frames, one after another", "RX-3 RX-5", "video_position_ids", "-",
     "-"},
    {"image.rgb", "[h, w, 3]", kMay, kWhole, kPixels,
     "upright, opaque, 8-bit RGB: EXIF turned, alpha dropped", "RI-1", "-", "-", "-"},
    {"image.target_size", "[2]", kMay, kWhole, kPixels,
     "height, width: multiples of 48 that fill the budget, in double", "RI-2 RI-3",
     "get_aspect_ratio_preserving_size", "-", "get_target_dimensions"},
    {"image.resized", "[th, tw, 3]", kMay, kWhole, kPixels,
     "bicubic a = -1/2, anti-aliased, horizontal then vertical pass, bytes after each", "RI-4 RI-5",
     "resize out", "the image after its resize", "Pillow's resize"},
    {"image.num_soft_tokens", "[1]", kMay, kWhole, kPixels, "(th / 48) (tw / 48)", "RI-6",
     "num_soft_tokens_per_image", "-", "num_soft_tokens_per_image"},
    {"image.patches", "[N, 3 P P]", kMust, kReal, kPatches,
     "byte / 255, patches in raster order, inside one: row, column, channel; 12B: P = 48",
     "RI-7 RI-8 RI-10", "pixel_values", "image as channels, rows, columns", "patches"},
    {"image.positions", "[N, 2]", kMust, kWhole, kPatches,
     "(x, y): column and row of each patch; padding slots would be (-1, -1)", "RI-9 RI-10",
     "image_position_ids", "pos_x, pos_y", "positions_xy"},
    {"audio.samples", "[n]", kMay, kReal, kSamples,
     "16 kHz, mono, in [-1, 1]; an audio encoder hears 30 s at most", "RA-1", "raw speech", "-",
     "audio, to_float32"},
    {"audio.frames_windowed", "[T, 320]", kMay, kReal, kLogMel,
     "padded samples 160 t … 160 t + 319 times 1/2 - 1/2 cos(2 pi n / 320), in fp32",
     "RA-2 RA-3 RA-4", "-", "-", "-"},
    {"audio.magnitude", "[T, 257]", kMay, kReal, kLogMel,
     "|rfft| over 512 points, zeros on the right", "RA-5", "-", "-", "-"},
    {"audio.mel_linear", "[T, 128]", kMay, kReal, kLogMel,
     "magnitude times triangles, 130 points equally far apart in HTK mel, linear in Hz", "RA-6",
     "-", "-", "-"},
    {"audio.mel", "[T, 128]", kMust, kReal, kMel, "ln(mel_linear + 0.001)", "RA-7 RA-9",
     "input_features, valid rows", "mel tensor, bins first", "GemaxMelFilterbank out"},
    {"audio.mel_mask", "[F]", kMay, kWhole, kMel,
     "1 for the T frames with 160 t + 160 < n, then 0 for padding frames", "RA-3 RA-8 RA-9",
     "input_features_mask", "-", "infer_mask"},
};

}  // namespace

std::span<const TapEntry> preprocessing_taps() {
  return kTaps;
}

}  // namespace assay::conformance
