// SPDX-License-Identifier: Apache-2.0
// The contract between the suite and an implementation, as a C ABI. C99 and C++.
//
// A shared library exports assay_port_entry(); everything else is reached through the table it
// returns. What the calls mean is said in implementation.h and session.h; this file says how the
// same data lies in memory.
//
//   versions   A struct that may grow begins with `size`: sizeof of the struct as its maker
//              compiled it. A reader uses no field beyond it and takes missing ones for 0. Fields
//              are added at the end and never change; any other change is another ABI version.
//   ownership  What a pointer shows belongs to who made it. What is handed to a call lives until
//              the call returns; what a call hands out lives until the next call on the same
//              instance or session. Memory is freed by who allocated it.
//   errors     Nothing throws and nothing jumps across. A call returns an assay_status and, if
//              that is not ASSAY_OK, writes one line to the message: "thing: got X, expected Y".
//   threads    An instance or session is called by one thread at a time, two of them perhaps at
//              once.
//   values     Row-major, native byte order. Truth values are 0 or 1. Texts are UTF-8; a
//              `const char*` ends with a 0, an assay_text need not and may hold one.
#ifndef ASSAY_PORT_H
#define ASSAY_PORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ASSAY_PORT_ABI_VERSION 1u

enum assay_status {
  ASSAY_OK = 0,
  ASSAY_NOT_SUPPORTED = 1,   // by this implementation; nobody's failure
  ASSAY_BAD_INPUT = 2,       // a checkpoint, case or prompt that cannot be used
  ASSAY_RESOURCE_ERROR = 3,  // memory, device, time
  ASSAY_INTERNAL_ERROR = 4
};

enum assay_dtype { ASSAY_F32 = 0, ASSAY_F64 = 1, ASSAY_I32 = 2, ASSAY_U8 = 3 };

enum assay_media_kind { ASSAY_IMAGE = 0, ASSAY_FRAME = 1, ASSAY_VIDEO = 2, ASSAY_AUDIO = 3 };

enum assay_request_kind {
  ASSAY_TOKENIZE = 0,  // text                    -> tap tok.{k}.ids
  ASSAY_DECODE = 1,    // ids                     -> tok.{k}.text
  ASSAY_RENDER = 2,    // text, large_template    -> tpl.{k}.text, tpl.{k}.ids
  ASSAY_PARSE = 3,     // ids, in_thought, tools  -> parse.{k}.reasoning, .content, .calls
  ASSAY_STOP = 4       // ids                     -> stop.{k}.length
};

// These three never grow.
typedef struct assay_text {
  const char* bytes;
  size_t length;
} assay_text;

typedef struct assay_ids {
  const int32_t* values;
  size_t count;
} assay_ids;

// Where a call writes what went wrong: at most `capacity` bytes, the ending 0 included.
typedef struct assay_message {
  char* text;
  size_t capacity;
} assay_message;

typedef struct assay_tensor {
  size_t size;
  const char* name;       // of a tap; NULL for other tensors
  int32_t dtype;          // assay_dtype; taps: f32, f64 or, where they hold integers, i32
  uint32_t rank;          // axes
  const uint64_t* shape;  // [rank]
  const void* data;
  // Where a listener may write other values, as many and of the same dtype; the run goes on from
  // them. It may be `data` and holds the same values at first. NULL: they cannot be changed.
  void* forced;
} assay_tensor;

// One item of media: `soft`, or exactly one of the rawer forms. NULL: not given.
typedef struct assay_media {
  size_t size;
  int32_t kind;                    // assay_media_kind
  const char* name;                // for messages; may be NULL
  uint64_t budget;                 // soft tokens an image or frame may take; 0: not said
  uint64_t num_frames;             // frames taken from a video; 0: the checkpoint's
  const assay_tensor* soft;        // [rows, D] soft-token embeddings
  const assay_tensor* file;        // [bytes] u8: PNG, JPEG, WAV, FLAC or video
  const assay_tensor* rgb;         // [h, w, 3], 0 … 255
  const assay_tensor* patches;     // [N, 3 P P] in [0, 1], padding slots allowed
  const assay_tensor* positions;   // [N, 2] with patches: x, y; (-1, -1) is padding
  const assay_tensor* samples;     // [n], 16 kHz mono, -1 … 1
  const assay_tensor* mel;         // [F, 128] natural logarithms
  const assay_tensor* mel_mask;    // [F] with mel, 1: valid; NULL: all are
  const assay_tensor* audio_rows;  // [n, 640], 12B
  double frame_rate;               // frames a second, in place of num_frames; 0: by number. Of
                                   // prompts alone: a case says how many runs there are
} assay_media;

// `steps` tokens drafted after `token`, which was chosen at the position after the prompt and is
// not in the target's cache yet.
typedef struct assay_draft {
  size_t size;
  int32_t token;
  int32_t standard_window;  // 0: the last W + 1 keys; 1: keys s > p - W
  uint64_t steps;
} assay_draft;

// A request to the text around the network. Texts are answered as i32 taps of their bytes and a 0.
typedef struct assay_request {
  size_t size;
  int32_t kind;            // assay_request_kind
  int32_t large_template;  // ASSAY_RENDER: the large template, else the small one
  int32_t in_thought;      // ASSAY_PARSE: the answer begins inside a thought
  assay_text text;         // ASSAY_TOKENIZE: the text; ASSAY_RENDER: a conversation as JSON
  assay_ids ids;
  assay_text tools;  // ASSAY_PARSE: their declarations as JSON, or empty
} assay_request;

typedef struct assay_case {
  size_t size;
  assay_ids ids;                    // [T], placeholders expanded
  assay_ids token_types;            // [T] or empty: 0 text, 1 image, 2 video, 3 audio
  assay_ids positions;              // [T] or empty: 0, 1, 2, …
  assay_ids valid;                  // [T] or empty: 1 token, 0 padding
  const assay_media* const* media;  // [num_media], in the order of the placeholder runs
  size_t num_media;
  const assay_draft* draft;              // NULL: none
  const assay_request* const* requests;  // [num_requests]; when there are any, nothing else is
  size_t num_requests;
} assay_case;

typedef struct assay_run_options {
  size_t size;
  uint64_t prefill_chunk;    // tokens per call; 0: all at once; 1: decode
  int32_t bf16_scales;       // rounding of other programs, for calibrating what is legitimate:
  int32_t fp32_rope_angles;  // see reference/family/config/rounding.h
  int32_t bf16_weights;
  const char* profile;  // "REF", or switches that differ: "audio.window_keys=13"
} assay_run_options;

// Taps arrive right after their operation, in execution order, once per run.
typedef struct assay_listener {
  size_t size;
  void* context;  // handed to both
  int32_t (*wants)(void* context, const char* tap);
  void (*on_tap)(void* context, const assay_tensor* tap);
} assay_listener;

typedef struct assay_capabilities {
  size_t size;            // set by the caller
  const char* name;       // "my-port"
  const char* precision;  // "f32", "bf16", …: the class it computes in, not how weights are stored
  int32_t forced_taps;    // runs in one call go on from what a listener writes
  int32_t chunked_prefill;
  int32_t drafting;
} assay_capabilities;

typedef struct assay_session_options {
  size_t size;
  const char* precision;
  const char* checkpoint;
  const char* drafter;  // "": none
  uint64_t draft_steps;
  const char* profile;
} assay_session_options;

typedef struct assay_prompt {
  size_t size;
  assay_ids ids;                    // with one placeholder token for each item of media
  const assay_media* const* media;  // the k-th of a kind fills the k-th placeholder of the kind
  size_t num_media;
  assay_ids stamp_ids;  // the tokens 0 … 9, ':' and space; empty: the released ones
} assay_prompt;

typedef struct assay_instance assay_instance;  // the implementation's own
typedef struct assay_session assay_session;
typedef struct assay_port assay_port;

struct assay_port {
  size_t size;
  uint32_t abi_version;           // ASSAY_PORT_ABI_VERSION
  uint32_t num_precisions;        // at least one
  const char* name;               // as --impl takes it
  const char* const* precisions;  // the first is the usual one
  void* context;                  // the implementation's own

  int32_t (*create)(const assay_port* port, const char* precision, assay_instance** instance,
                    assay_message* message);
  void (*destroy)(assay_instance* instance);
  void (*capabilities)(assay_instance* instance, assay_capabilities* capabilities);
  int32_t (*load)(assay_instance* instance, const char* checkpoint, const char* drafter,
                  assay_message* message);  // drafter "": none
  int32_t (*run)(assay_instance* instance, const assay_case* input,
                 const assay_run_options* options, const assay_listener* listener,
                 assay_message* message);

  // One growing sequence with its caches; all NULL where no prompt can be answered. Logits are
  // [rows, vocabulary], f32 or f64, soft-capped.
  int32_t (*open_session)(const assay_port* port, const assay_session_options* options,
                          assay_session** session, assay_message* message);
  void (*close_session)(assay_session* session);
  int32_t (*begin)(assay_session* session, const assay_prompt* prompt, assay_ids* expanded,
                   assay_tensor* last, assay_message* message);
  int32_t (*extend)(assay_session* session, assay_ids tokens, assay_tensor* rows,
                    assay_message* message);
  int32_t (*take_back)(assay_session* session, uint64_t count, assay_message* message);
  int32_t (*draft)(assay_session* session, int32_t token, uint64_t steps, assay_ids* drafted,
                   assay_message* message);
  uint64_t (*length)(assay_session* session);  // tokens in the caches

  // Threads of the matrix products, for all instances; may be NULL.
  void (*use_threads)(const assay_port* port, int32_t threads);

  // 0 for a tap of which no run shows anything, whatever is asked, as a fused kernel keeps its
  // scores to itself. NULL: every tap of the model.
  int32_t (*shows)(assay_instance* instance, const char* tap);
};

// What the library exports. NULL when it does not speak `abi_version`.
typedef const assay_port* (*assay_port_entry_function)(uint32_t abi_version);
#define ASSAY_PORT_ENTRY "assay_port_entry"

#ifdef __cplusplus
}
#endif

#endif  // ASSAY_PORT_H
