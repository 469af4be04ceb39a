// SPDX-License-Identifier: Apache-2.0
// Mistakes between a file's pixels and patches, and with video (spec multimodal 10.1).
//
// The tap is where a comparison in execution order must fail first. "Far": the soft-token
// embeddings turn elsewhere, cosine below 0.3.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Mistake kMistakes[] = {
    {"I1", "sides of the target are rounded instead of cut", "image.target_size",
     "1920 x 1080 at 280"},
    {"I2", "the target size is computed in fp32, or exactly", "image.target_size",
     "190 x 133 at 280 (h x w), 340 x 476 at 140"},
    {"I3", "small images are not enlarged", "image.target_size", "100 x 100"},
    {"I4", "the aspect is kept exactly, with bars", "image.resized", "640 x 480"},
    {"I5", "sides are multiples of 16 instead of 48", "image.target_size", "any image"},
    {"I6", "height and width are swapped where one side would be 0", "image.target_size",
     "900 x 3"},
    {"I7", "the long side of a thin image has no limit", "image.target_size", "100000 x 7 at 280"},
    {"I8", "the kernel is bilinear, Lanczos or bicubic with a = -3/4", "image.resized",
     "edges; mean 0.2 to 4 steps, most 11 to 83"},
    {"I9", "the kernel is not widened when shrinking", "image.resized", "640 x 480 to 432 x 336"},
    {"I10", "nothing is clamped to a byte between the passes", "image.resized",
     "a saturated checkerboard"},
    {"I11", "columns are resampled before rows", "image.resized", "noise, up to 17 steps"},
    {"I12", "corners are aligned, or the half-pixel shift is missing", "image.resized",
     "any resized image"},
    {"I13", "channels are blue, green, red", "image.patches", "a coloured image; far"},
    {"I14", "patches are laid channel by channel", "image.patches", "any image; far"},
    {"I15", "patches are laid column by column", "image.patches", "any image; far"},
    {"I16", "bytes are divided by 256, or normalised with ImageNet's mean and deviation",
     "image.patches", "/256: 0.004, cosine at the end 0.999"},
    {"I17", "alpha is laid over white or black", "image.rgb", "a file with alpha"},
    {"I18", "positions are (y, x), or the raster goes by columns", "image.positions",
     "a grid that is not square"},
    {"I19", "padding slots have position 0 instead of -1", "image.positions",
     "an image that leaves slots empty"},
    {"I20", "the number of soft tokens is the budget", "image.num_soft_tokens", "640 x 480"},
    {"I21", "frames are chosen evenly from the first to the last", "video.frame_indices",
     "T = 300: 9 frames apart at first, the last is 299 instead of 290"},
    {"I22", "time stamps count chosen frames, or seconds are rounded", "video.timestamps",
     "T = 1000 at 25 per second"},
    {"I23", "a frame gets an image's budget", "image.target_size video.patches", "any video"},
    {"I24", "frames use the placeholder of images", "text.ids_expanded", "any video"},
};

}  // namespace

std::span<const Mistake> image_mistakes() {
  return kMistakes;
}

}  // namespace assay::conformance
