// SPDX-License-Identifier: Apache-2.0
// What a case asks: tokens, media, a draft, or requests to the text around the network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "reference/family/config/media_kind.h"

namespace assay::conformance {

// One item of media: what fills one run of placeholder tokens (a "video": as many runs as it has
// frames). It comes as soft-token embeddings (values), or in exactly one of the rawer forms, which
// the implementation takes through its own preprocessing and encoders. Taps of the item that fills
// run k (0, 1, …, a video counts once per frame) are called media.{k}.<tap>.
struct MediaItem {
  MediaKind kind = MediaKind::kImage;  // kVideo: a file with several frames
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
  double frame_rate = 0;       // frames a second instead (RX-2); 0: by number. Of prompts alone
};

// A draft request (drafters only): `steps` tokens drafted after `token`, which was chosen at
// position T (the prompt's length) and is not in the target's cache yet.
struct DraftRequest {
  std::int32_t token = 0;
  std::size_t steps = 0;
  bool standard_window = false;  // false: the last W + 1 keys (HF); true: s > p - W
};

// What is asked of the text around the network. Texts are answered as their UTF-8 bytes and a 0
// after them; k counts the requests.
struct TokenizeRequest {  // -> tok.{k}.ids
  std::string text;
};
struct DecodeRequest {  // -> tok.{k}.text
  std::vector<std::int32_t> ids;
};
// `chat` is the JSON text of a conversation: {"messages": […], "tools": […], …}.
struct RenderRequest {  // -> tpl.{k}.text, tpl.{k}.ids
  std::string chat;
  bool large = false;  // the large template; false: the small one
};
// `tools` is the JSON text of their declarations, or empty. The calls that are found come as the
// JSON text [{"name": …, "arguments": {…}}, …].
struct ParseRequest {  // -> parse.{k}.reasoning, .content, .calls
  std::vector<std::int32_t> ids;
  bool in_thought = false;
  std::string tools;
};
// The length counts the tokens up to and with the first that ends an answer.
struct StopRequest {  // -> stop.{k}.length
  std::vector<std::int32_t> ids;
};
using TextRequest =
    std::variant<TokenizeRequest, DecodeRequest, RenderRequest, ParseRequest, StopRequest>;

struct CaseInput {
  std::vector<std::int32_t> ids;          // [T], placeholders expanded
  std::vector<std::int32_t> token_types;  // [T] or empty: 0 text, 1 image, 2 video, 3 audio
  std::vector<std::int32_t> positions;    // [T] or empty: 0, 1, 2, …
  std::vector<std::int32_t> valid;        // [T] or empty: 1 token, 0 padding
  std::vector<MediaItem> media;           // in the order of the placeholder runs
  std::optional<DraftRequest> draft;
  std::vector<TextRequest> requests;  // when there are any, nothing else is
};

}  // namespace assay::conformance
