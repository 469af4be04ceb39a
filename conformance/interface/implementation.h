// SPDX-License-Identifier: Apache-2.0
// What an implementation under test provides: it runs a case and shows its taps.
//
// Plain data, no library's types. Nothing throws across this boundary: statuses only, so that the
// same contract can be a C ABI or a process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conformance/interface/tensor_view.h"

namespace assay::conformance {

enum class StatusCode { kOk, kNotSupported, kBadInput, kResourceError, kHarnessError };

struct Status {
  StatusCode code = StatusCode::kOk;
  std::string message;
  bool ok() const { return code == StatusCode::kOk; }
};

// One item of media: what fills one run of placeholder tokens (a "video": as many runs as it has
// frames). It comes as soft-token embeddings (values), or in exactly one of the rawer forms, which
// the implementation takes through its own preprocessing and encoders. Taps of the item that fills
// run k (0, 1, …, a video counts once per frame) are called media.{k}.<tap>.
struct MediaItem {
  std::string kind;            // "image", "frame", "audio"; "video": a file with several frames
  std::size_t rows = 0;        // of the soft-token embeddings: placeholders they fill
  std::size_t width = 0;       // the model's hidden size
  std::vector<double> values;  // [rows, width]; empty when a rawer form is given

  std::vector<std::uint8_t> file = {};  // bytes of a PNG, JPEG, WAV, FLAC or video file
  struct Array {                        // row-major; absent when the shape is empty
    std::vector<std::size_t> shape;
    std::vector<double> values;
    bool given() const { return !shape.empty(); }
  };
  Array rgb = {};         // [h, w, 3], 0 … 255
  Array patches = {};     // [N, 3 P P] in [0, 1], padding slots allowed
  Array positions = {};   // [N, 2] with patches: x, y; (-1, -1) is padding
  Array samples = {};     // [n], 16 kHz mono
  Array mel = {};         // [F, 128]
  Array mel_mask = {};    // [F] or absent: all frames are valid
  Array audio_rows = {};  // [n, 640], 12B

  std::string name = {};       // for messages: the file it came from; empty: its number is used
  std::size_t budget = 0;      // soft tokens an image or frame may take; 0: not said
  std::size_t num_frames = 0;  // frames taken from a video; 0: the checkpoint's
};

// A draft request (drafters only): `steps` tokens drafted after `token`, which was chosen at
// position T (the prompt's length) and is not in the target's cache yet.
struct DraftRequest {
  std::int32_t token = 0;
  std::size_t steps = 0;
  bool standard_window = false;  // false: the last W + 1 keys (HF); true: s > p - W
};

// What is asked of the text around the network: a JSON list of requests, each one of
//   {"tokenize": text}                         -> tok.{k}.ids
//   {"decode": [ids]}                          -> tok.{k}.text
//   {"render": {chat case}, "variant": "small"} -> tpl.{k}.text, tpl.{k}.ids
//   {"parse": [ids], "in_thought": false}      -> parse.{k}.reasoning, .content, .calls
//   {"stop": [ids]}                            -> stop.{k}.length
// k counts the requests. Texts are their UTF-8 bytes and a 0 after them; calls are the JSON text
// [{"name": …, "arguments": {…}}, …]; the length counts the tokens up to and with the first that
// ends an answer.
using TextRequests = std::string;

struct CaseInput {
  std::vector<std::int32_t> ids;          // [T], placeholders expanded
  std::vector<std::int32_t> token_types;  // [T] or empty: 0 text, 1 image, 2 video, 3 audio
  std::vector<std::int32_t> positions;    // [T] or empty: 0, 1, 2, …
  std::vector<std::int32_t> valid;        // [T] or empty: 1 token, 0 padding
  std::vector<MediaItem> media;           // in the order of the placeholder runs
  std::optional<DraftRequest> draft;
  TextRequests requests;  // when there are any, nothing else is
};

// Rounding rounding that are legitimate in some precision class and that no tap can show.
struct Numerics {
  bool bf16_scales = false;       // sqrt(D), sqrt(P), 2^-1/2 rounded to bf16 (R-12, DIV-30)
  bool fp32_rope_angles = false;  // angles evaluated in fp32
  bool bf16_weights = false;      // weights rounded to bf16 when they are loaded
};

struct RunOptions {
  std::size_t prefill_chunk = 0;  // tokens per call; 0: all at once; 1: decode
  Numerics numerics;
  std::string profile = "REF";  // or switches that differ: "audio.window_keys=13,audio.hann=…"
};

// Listens to a run. A tap (a named tensor at an exact place of the computation; `assay taps` prints
// the catalogue) arrives right after its operation, in execution order, once per run. An
// implementation that runs in several calls joins them by position first (doors/joiner.h). Integer
// taps (ids, masks, expert choices) are i32, others f32 or f64, as they were computed.
class TapListener {
 public:
  virtual ~TapListener() = default;
  virtual bool wants(const std::string& name) const = 0;
  // May write other values to tap.forced, which is there with Capabilities::forced_taps and a
  // single call: the implementation goes on from them.
  virtual void on_tap(const TensorView& tap) = 0;
};

struct Capabilities {
  std::string name;       // "reference"
  std::string precision;  // "f32", "f64", "bf16", …
  bool forced_taps = false;
  bool chunked_prefill = false;
  bool drafting = false;
};

class Implementation {
 public:
  virtual ~Implementation() = default;
  virtual Capabilities capabilities() const = 0;
  virtual Status load(const std::string& checkpoint, const std::string& drafter) = 0;
  virtual Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) = 0;
};

}  // namespace assay::conformance
