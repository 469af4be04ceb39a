// SPDX-License-Identifier: Apache-2.0
// What the command line says, one struct for each command.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reference/family/synth/synth.h"

namespace assay::program {

struct VerifyOptions {
  std::string command;  // as it was typed, for the report
  std::string impl = "reference";
  std::string checkpoint;
  std::string drafter;
  std::string golden;  // file or folder; empty: the committed ones
  std::string case_glob = "*";
  std::string level = "taps";           // logits, blocks, taps
  std::string mode;                     // empty: chained, and replay of what is no oracle
  std::size_t depth = 0;                // of mode forced: from this layer on; 0: half of them
  std::string profile;                  // that the implementation follows; empty: the golden's
  std::vector<std::string> precisions;  // empty: all that the implementation has
  std::size_t prefill = 0;
  std::string target;       // instruction set of the implementation; empty: the best
  bool properties = false;  // try what must hold without a golden, too
  std::size_t tokens = 16;  // of the built-in case, when there is no golden
  double diagnosis = 8;     // seconds to look for the mistake that a failure is; 0: none
  std::string report;       // folder for report.json and junit.xml
};

struct CompareOptions {
  std::string command;
  std::string golden;
  std::string dump;
  std::string map;
  std::string checkpoint;
  std::string drafter;
  std::string precision = "f32";
  std::string mode;
  std::string profile;         // that the dump claims to follow; empty: the golden's
  bool own_roundings = false;  // 16 bits: it rounds where no known program does
  bool rounded_dump = false;   // when it was written: the values used were not
  std::string only;  // pattern of the taps that are claimed to be right; empty: the whole case
  bool own_truth = false;  // the truth is the checkpoint's fp64 run, whatever the golden says
  double diagnosis = 8;    // seconds to look for the mistake that a failure is; 0: none
  std::string report;
};

struct MutateOptions {
  std::string glob = "*";  // of labels
  std::string golden;      // file or folder; empty: the committed ones
  std::string case_glob = "*";
  std::string precision = "f32";
  std::string report;      // folder for mutants.json
  std::size_t sample = 0;  // so many of them, drawn by `seed`; 0: all
  std::size_t seed = 1;
  std::size_t innocent = 0;  // honest variants instead of mutants: so many runs
  std::string checkpoint;    // of --innocent: on a case of one's own instead of the committed ones
  std::size_t tokens = 11;   // of that case
  bool power = false;        // instead: measure what each case shows
  bool resume = false;       // goes on from the report's mutants.json or innocent.jsonl
};

struct DumpOptions {
  std::string impl = "reference";
  std::string checkpoint;
  std::string drafter;
  std::string case_file;
  std::string out;
  std::string precision;  // empty: the implementation's usual one
  std::string taps = "*";
  std::string profile;  // empty: the case's
  std::string target;   // instruction set of the implementation; empty: the best
  std::size_t prefill = 0;
};

struct BenchOptions {
  std::string impl = "cpu";
  std::string checkpoint;
  std::string precision;      // empty: int8 for quantised weights, bf16 for bf16, else f32
  std::size_t prompt = 512;   // tokens of the prefill
  std::size_t generate = 64;  // tokens decoded
  std::size_t depth = 512;    // tokens in the cache before them
  std::size_t repetitions = 5;
  std::string cache = "bf16";
  bool no_skip = false;
  bool json = false;
};

struct InspectOptions {
  std::string path;
  std::string png;         // an image of what the model makes of an image, audio or video
  std::size_t budget = 0;  // soft tokens of an image or frame; 0: as released
  std::size_t frames = 0;  // of a video; 0: as released, or all of a short one
  double fps = 0;          // frames by this rate instead; 0: by number
};

struct ExplainOptions {
  std::string what;
};

struct TapsOptions {
  std::string glob = "*";
};

struct ConvertCommand {
  std::string source;     // a checkpoint
  std::string out;        // .gguf: a file, else a directory
  std::string type;       // f32, f16, bf16, q8_0, q4_0; empty: as it is stored
  std::string projector;  // of a directory the GGUF file to write the encoders to; of a GGUF file
                          // the one to read them from
};

struct SynthCommand {
  std::string size;
  std::string directory;
  SynthOptions widths;      // what is not set is the size's own
  std::string layer_types;  // "SSF": sliding, sliding, full; empty: the size's own
  std::string dtype = "bf16";
  SynthEncoders encoders;  // counts only with_encoders
  bool with_encoders = false;
  bool text_only = false;
  bool without_shared_kv = false;
  std::size_t shard_megabytes = 4096;
};

// Each returns the exit status: 0 pass, 1 fail, 2 bad input, 3 harness error.
int verify(const VerifyOptions& options);
int compare(const CompareOptions& options);
int mutate(const MutateOptions& options);
int dump(const DumpOptions& options);
int bench(const BenchOptions& options);
int inspect(const InspectOptions& options);
int explain(const ExplainOptions& options);
int taps(const TapsOptions& options);
int convert(const ConvertCommand& command);
int synth(const SynthCommand& command);

}  // namespace assay::program
