// SPDX-License-Identifier: Apache-2.0
// The points in which published programs differ on the way from media to logits (spec multimodal
// 9). DIV-M04 is the fourth of that page; DIV-xx without the M are those of the text models.
//
// HF is transformers 5.22 and 5.23, JAX google-deepmind/gemma 4.0.1, llama.cpp, MLX mlx-vlm, KH
// keras-hub, MRS mistral.rs, TJS transformers.js, all of 2026. Numbers are of models of two layers
// or of test signals unless a sentence says otherwise.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Divergence kDivergences[] = {
    {"DIV-M01", "order of norm and projection of audio",
     "HF, vLLM, llama.cpp, MLX, KH, MRS: RMSNorm over 1536, then project. JAX: project, then "
     "RMSNorm over the text width",
     "each row differs by one positive factor, 1.2 to 1.8 here; cosine cannot see it, sizes can",
     "norm, then project", "audio.embed_order"},
    {"DIV-M02", "padding in the vision encoder",
     "HF, MLX, MRS, KH hide padding keys; llama.cpp never pads. JAX adds the mask to the scores, 1 "
     "for patches and 0 for padding",
     "nothing without padding; with 9 padding slots soft-token embeddings move by 0.8 to 1.6",
     "padding is hidden", "vision.pad_mask"},
    {"DIV-M03", "two budgets in JAX",
     "JAX's sampler makes 1120 soft tokens where its encoder pools for 280, a kernel of 6 on grids "
     "that are multiples of 3",
     "useless soft-token embeddings until both are set alike", "one budget drives both", ""},
    {"DIV-M04", "keys an audio row sees",
     "12: HF, llama.cpp, vLLM, KH. 13: JAX, MLX, MRS. Which one training used is unknown",
     "from the 13th soft token on; on real weights soft-token embeddings move by up to 7", "12",
     "audio.window_keys"},
    {"DIV-M05", "phase of the Hann window",
     "periodic, cos(2 pi n / 320): HF, llama.cpp, MLX, KH, MRS. Half a sample late, "
     "cos(2 pi (n + 1/2) / 320): JAX",
     "log-mel by up to 0.56 to 0.88, mean 0.004 to 0.015", "periodic", "audio.hann"},
    {"DIV-M06", "padding before an audio clip",
     "160 zeros: HF, llama.cpp, MLX, vLLM, KH, MRS, TJS. None: JAX, whose T is (N - 321) div 160 + "
     "1",
     "JAX's frame i is frame i + 1 of the others; at equal index log-mel differs by up to 6, and T "
     "for some lengths",
     "160 zeros", "audio.left_pad"},
    {"DIV-M07", "floor of the logarithm",
     "ln(m + 0.001): HF, JAX, MLX, KH, MRS, TJS. ln(max(m, 0.001)): llama.cpp",
     "up to ln 2; mean 0.18 on tones, 0.002 on noise; bin 0 is equal", "added", "audio.log_floor"},
    {"DIV-M08", "invalid rows in the convolutions",
     "set to 0 before both: HF, KH, MLX, MRS. Before the first only: JAX, which with MLX and KH "
     "also clears them before each light convolution",
     "padded batches with T = 2 mod 4: the last valid soft token by 0.44; the light convolution "
     "changes nothing",
     "before both", ""},
    {"DIV-M09", "audio clips above 30 s",
     "cut: HF, MLX, MRS. Pieces of 30 s, one after another: llama.cpp. Encoded whole, counted as "
     "750: JAX. Cut or filled to 30 s: KH",
     "number and content of soft tokens", "cut", ""},
    {"DIV-M10", "number of soft tokens of an audio clip",
     "from the mask: HF, TJS. ceil(ms / 40): MLX. N / 160 frames: KH. From N - 321: JAX",
     "one more or less for some lengths, which shifts all later rows or is refused", "ceil(T / 4)",
     ""},
    {"DIV-M11", "audio clips of 160 samples or fewer",
     "no frame, on which HF's encoder fails; llama.cpp makes one, since it divides towards zero",
     "a soft token, also at the end of pieces", "none; refused", ""},
    {"DIV-M12", "resampling of images",
     "Pillow's bytes: HF with Pillow, JAX's sampler, MLX, late llama.cpp. Torchvision's bytes: HF "
     "by default. Floats without clamp: JAX's own preprocessing. Bicubic in other flavours: KH, "
     "llama.cpp of mid-2026; bilinear before",
     "torchvision at most 2 steps of 255; floats mean 0.9, up to 35; others mean up to 4, up to 83",
     "Pillow's bytes", "image.resample"},
    {"DIV-M13", "target size in llama.cpp",
     "until mid-2026 each side was rounded to 48 and only changed outside 40 to 280 cells, with "
     "black bars; vLLM counts with at least 48 a side; several ports force 768 x 768",
     "640 x 480 makes 130 soft tokens instead of 266, 512 x 512 makes 121 instead of 256",
     "the budget is filled (RI-2)", ""},
    {"DIV-M14", "sizes that come out as 0",
     "both sides 0: HF refuses, JAX 48 x 48; KH never goes below 48 on either side and so gives "
     "thin images another ratio",
     "thin images, 900 x 3 at 280", "the rule of RI-3", ""},
    {"DIV-M15", "rescaling", "times fp32 1/255, times fp64 1/255, or divided by 255",
     "one unit in the last place for 126 of 256 bytes", "byte / 255; any is accepted", ""},
    {"DIV-M16", "newlines around media",
     "none: HF, vLLM, MLX, as the template has them. JAX puts a newline token on either side of "
     "images, TJS an empty line around images and audio clips besides the template's",
     "other tokens in the text", "none", ""},
    {"DIV-M17", "masks of vision blocks",
     "(causal or block) and |q - s| < W on sliding layers: JAX, vLLM, MRS. The past side of the "
     "window only: HF 5.22 and 5.23. (causal and window) or block: HF before, KH. Causal or block "
     "on all layers: HF for a time, MLX. A whole image on every layer of every size: llama.cpp "
     "of mid-2026",
     "the first three differ for blocks longer than W alone, an image at budget 1120; the others "
     "always, on full layers",
     "(causal or block) and |q - s| < W, sliding layers only", "text.vision_mask"},
    {"DIV-M18", "HF's audio encoder and its attention",
     "to 5.19 eager attention inverted the mask. In 5.22 and 5.23 the encoder supports eager only "
     "and others raise",
     "inverted: cosine 0.82 on the real encoder", "eager of 5.22; the first row must see itself",
     ""},
    {"DIV-M19", "clamp of activations to 1e10", "HF, JAX, MLX, KH, MRS have it; llama.cpp does not",
     "none unless numbers overflow", "kept", ""},
    {"DIV-M20", "eps of the 12B's LayerNorms",
     "1e-5 in HF, vLLM, llama.cpp, MLX, though the config says 1e-6, which is the RMSNorm's",
     "1e-5 relative; much for flat patches", "1e-5", ""},
    {"DIV-M21", "patches of the 12B",
     "(row, column, channel) in HF; (channel, row, column) in llama.cpp, whose converter permutes "
     "the weights to match",
     "none if both are permuted alike", "(row, column, channel)", ""},
    {"DIV-M22", "stored bounds of linear maps",
     "some ports take them for calibration data and skip them, or make them symmetric",
     "skipped: cosine 0.57 for the real audio encoder; symmetric: 0.98 to 0.995 here",
     "used as stored", ""},
    {"DIV-M23", "names in GGUF files",
     "norm_conv and conv_norm mean opposite things in two families of converters; per_dim_scale "
     "is stored behind its softplus by one and before it in safetensors",
     "swapped: cosine 0.88; softplus twice 0.88, never 0.53", "the safetensors' meaning", ""},
    {"DIV-M24", "activation of the vision encoder in llama.cpp",
     "a file that names none is run with quick GELU, and the converter that was read names none",
     "0.009 at mlp.act, 0.025 at the soft-token embeddings", "GELU, tanh form", ""},
    {"DIV-M25", "frames and time stamps of a video",
     "floor(j T / F), stamps from frame index / fps: HF. From first to last, cut: KH. From first "
     "to last, rounded, stamps from the chosen frames at 2 per second: MLX. None in JAX",
     "T = 300: 0 9 18 28 … 290, or 0 9 19 28 … 299, or 0 10 19 29 … 299", "HF's", ""},
    {"DIV-M26", "padding rows in KH's vision encoder", "their residual is cleared after each layer",
     "none on patches", "left as they are", ""},
    {"DIV-M27", "precision of the Fourier transform",
     "fp64 inside: HF with NumPy. fp32: a later class of HF, llama.cpp, MRS",
     "6e-6 on noise, 1.3e-3 on pure tones near the floor", "fp64", ""},
    {"DIV-M28", "row 0 after JAX's merge", "the text row at index 0 is put back",
     "a soft token there would be lost; there is none behind a begin token", "not put back", ""},
    {"DIV-M29", "coordinates beyond the table", "NaN in JAX, an error in HF",
     "cannot happen: at most 3359 of 10240", "an error", ""},
    {"DIV-M30", "side of the padding of audio clips",
     "an extractor set to pad on the left shifts frames", "one more soft token is possible",
     "right", ""},
    {"DIV-M31", "precision of encoders", "fp32 beside bf16 text: JAX; the model's own: HF",
     "bf16 against fp32: cosine 0.9993 on real weights", "fp32", ""},
    {"DIV-M32", "rows behind the audio encoder",
     "removed by mask: HF, MRS. The first ones: JAX. Not removed, taken as a flat prefix: MLX",
     "wrong across audio clips of a batch in MLX", "removed by mask", ""},
    {"DIV-M33", "alpha and EXIF in HF",
     "a file is turned and its alpha dropped; an image in memory is not turned, and its alpha is "
     "laid over white. JAX drops alpha everywhere",
     "up to 255 steps", "as for files; not graded", ""},
    {"DIV-M34", "angle of a patch",
     "position times frequency: HF. Position divided by its inverse: JAX, MLX",
     "one unit in the last place", "either", ""},
    {"DIV-M35", "13 keys in HF by configuration",
     "attention_context_left = 14 widens the context, but the table of positions stays, so that "
     "the relative term is off by one",
     "0.12 at the soft-token embeddings", "the mask alone is widened for the switch", ""},
    {"DIV-M36", "width of the audio input projection in HF",
     "computed from the channels of the first convolution instead of the mel bins",
     "none: both are 128; small models must keep them equal", "channels = bins", ""},
    {"DIV-M37", "one array to HF's extractor", "fails; a list with one array works", "an error",
     "a list is passed", ""},
    {"DIV-M38", "whole-number samples in HF", "are not scaled", "loud bins higher by ln 32768",
     "scaled before", ""},
    {"DIV-M39", "masks of the 12B in HF",
     "forward opens full layers to vision blocks, generate does not (decision 0008)",
     "the same prompt gives other logits in the two, at every budget", "full layers stay causal",
     "text.vision_mask"},
    {"DIV-M40", "frame formula of HF", "integers now; trunc of a range in double in mid-2026",
     "none for F = 32; for F = 7, 15, 100 about a tenth of all T", "integers", ""},
    {"DIV-M41", "HF without token types", "the big models run causal without a word",
     "text.mask.local", "token types are passed", ""},
    {"DIV-M42", "frames lost in JAX",
     "valid frames are counted by two divisions in fp32, one short for 12 % of all lengths under "
     "jit",
     "3 % of lengths get a last soft token of zeros", "counted from the samples", ""},
    {"DIV-M43", "1 / ln 2 in JAX", "written with ten digits",
     "comparisons of the audio encoder at fp64 end at 1e-10", "exact", ""},
    {"DIV-M44", "bounds in JAX", "k and v share a set, gate and up share one; HF has one per map",
     "checkpoints with other bounds cannot be run in JAX", "one per map", ""},
    {"DIV-M45", "logits of a JAX call with images",
     "rows after the first image are shifted, as DIV-09 of the text models says",
     "text.logits of JAX; the last row alone is right", "not shifted", ""},
    {"DIV-M46", "an image in a later turn in JAX", "the mask of 26B and 31B has too few columns",
     "an error", "works", ""},
};

}  // namespace

std::span<const Divergence> divergences() {
  return kDivergences;
}

}  // namespace assay::conformance
