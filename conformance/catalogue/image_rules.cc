// SPDX-License-Identifier: Apache-2.0
// The rules of spec multimodal 2: from the pixels of a file to patches.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Rule kRules[] = {
    {"RI-1", "colour",
     "A file is decoded, turned as its EXIF orientation says and converted to 8-bit RGB: grey is "
     "repeated, palettes are looked up, CMYK is converted. The alpha of a file is dropped, not "
     "laid "
     "over a background. The suite grades nothing before the upright RGB image."},
    {"RI-2", "target size",
     "f = sqrt(2304 B / (h w)) for a budget of B soft tokens, then each side is floor(f side / 48) "
     "48, in IEEE double and in this order. The image is always made to fill the budget, larger "
     "or smaller, and its aspect is kept only as far as two separate floors keep it."},
    {"RI-3", "thin images",
     "If one side would be 0 it becomes 48 and the other min(floor(long / short) 48, 48 B). A "
     "image without pixels is refused; both sides cannot be 0 for the five budgets."},
    {"RI-4", "resampling kernel",
     "Bicubic with a = -1/2. When shrinking, the kernel is widened by the scale. Taps run from "
     "trunc(c - s + 1/2) to trunc(c + s + 1/2) around c = (i + 1/2) scale, weights are normalised "
     "in double and then rounded to 22 fractional bits."},
    {"RI-5", "two passes of bytes",
     "First along rows, then along columns; each pass rounds to a byte and clamps to 0 … 255. A "
     "side that keeps its length has no pass, so that an image of the target size stays as it "
     "is."},
    {"RI-6", "soft tokens of an image",
     "A grid of tw / 16 by th / 16 patches makes (tw / 48) (th / 48) soft tokens, at most the "
     "budget and usually less. Budgets are 70, 140, 280, 560 and 1120; 280 unless said."},
    {"RI-7", "rescaling",
     "A value is byte / 255, correctly rounded to fp32; the product with fp32 1/255 differs by one "
     "unit for 126 of the 256 bytes and is as good. No mean is taken away and nothing is divided "
     "by a deviation."},
    {"RI-8", "patch vector",
     "Patch (px, py) at (r, c, channel) is pixel (16 py + r, 16 px + c): index (16 r + c) 3 + "
     "channel, channels red, green, blue."},
    {"RI-9", "positions",
     "Patches come in raster order, each with (x, y) = (column, row). Slots that only fill a batch "
     "hold pixel value 0 and position (-1, -1)."},
    {"RI-10", "patches of the 12B",
     "The same with 48 instead of 16 pixels: one patch of 6912 values is one soft token, and "
     "positions count 48 pixels."},
};

}  // namespace

std::span<const Rule> image_rules() {
  return kRules;
}

}  // namespace assay::conformance
