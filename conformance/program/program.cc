// SPDX-License-Identifier: Apache-2.0
// The command line of `assay`: is your Gemma 4 a Gemma 4?
#include "conformance/program/program.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "conformance/compare/self_test.h"
#include "conformance/doors/registry.h"
#include "conformance/program/judges.h"
#include "conformance/program/options.h"
#include "conformance/program/text_commands.h"
#include "reference/family/base/error.h"
#include "reference/family/config/sizes.h"
#include "reference/family/config/soft_tokens.h"

namespace assay::program {
namespace {

// Numbers of tokens, for CLI11 to hold before a minus sign can wrap around.
const CLI::Range kTokenCount{std::size_t{1}, std::size_t{1} << 20};
const CLI::Range kChunk{std::size_t{0}, std::size_t{1} << 20};

constexpr const char* kProfileHelp =
    "REF, or switches as in audio.window_keys=13,audio.hann=half_sample; default: the golden's";

void add_verify(CLI::App& app, VerifyOptions& o) {
  auto* c = app.add_subcommand("verify", "run an implementation on goldens and judge every tap");
  c->add_option("--impl", o.impl, "implementation: " + conformance::implementation_names());
  c->add_option("--checkpoint", o.checkpoint,
                "folder of the checkpoint; default: the golden's own");
  c->add_option("--drafter", o.drafter, "folder of the drafter");
  c->add_option("--golden", o.golden, "a golden file or a folder of them; default: the committed");
  c->add_option("--case", o.case_glob, "only cases whose name matches, as in 'e2b-tiny/*'");
  c->add_option("--level", o.level, "what is judged: logits, blocks or taps");
  c->add_option("--precision", o.precisions,
                "classes of the implementation, as f32; default: all it has");
  c->add_option("--prefill", o.prefill, "feed the prompt N tokens at a time; 0: at once, 1: decode")
      ->check(kChunk);
  c->add_option("--mode", o.mode, "chained or replay; default: chained");
  c->add_option("--profile", o.profile, kProfileHelp);
  c->add_flag("--properties", o.properties,
              "try the properties too: what must hold without a golden, as that chunks change "
              "nothing; on --checkpoint, or on the committed ones");
  c->add_option("--tokens", o.tokens, "length of the built-in case without a golden; default: 16")
      ->check(kTokenCount);
  c->add_option("--report", o.report, "folder for report.json and junit.xml");
}

void add_compare(CLI::App& app, CompareOptions& o) {
  auto* c = app.add_subcommand("compare", "judge a dump of any origin against a golden");
  c->add_option("golden", o.golden, "the golden file")->required();
  c->add_option("dump", o.dump, "the dump: .safetensors or HDF5, tap names as keys")->required();
  c->add_option("--map", o.map, "CSV of tap,name for a dump with names of its own");
  c->add_option("--checkpoint", o.checkpoint,
                "folder of the checkpoint, for replay; default: the golden's own");
  c->add_option("--drafter", o.drafter, "folder of the drafter");
  c->add_option("--precision", o.precision,
                "class the port claims: " + precision_class_names(" or "));
  c->add_option("--mode", o.mode, "chained or replay; default: both");
  c->add_option("--profile", o.profile, kProfileHelp);
  c->add_option("--report", o.report, "folder for report.json and junit.xml");
}

void add_dump(CLI::App& app, DumpOptions& o) {
  auto* c = app.add_subcommand("dump", "write the taps of one case to a file");
  c->add_option("--impl", o.impl, "implementation: " + conformance::implementation_names());
  c->add_option("--checkpoint", o.checkpoint, "folder of the checkpoint")->required();
  c->add_option("--drafter", o.drafter, "folder of the drafter");
  c->add_option("--case", o.case_file, "a golden or a case file")->required();
  c->add_option("--out", o.out, "the HDF5 file to write; replaces an older dump, nothing else")
      ->required();
  c->add_option("--precision", o.precision, "a class of the implementation, as f32");
  c->add_option("--taps", o.taps, "only taps that match, as in 'text.layer.0.*'");
  c->add_option("--profile", o.profile, kProfileHelp);
  c->add_option("--prefill", o.prefill, "feed the prompt N tokens at a time; 0: at once")
      ->check(kChunk);
}

void add_widths(CLI::App& c, SynthOptions& w) {
  c.add_option("--width,--hidden-size", w.hidden_size, "hidden_size");
  c.add_option("--layers", w.num_hidden_layers, "num_hidden_layers");
  c.add_option("--heads", w.num_attention_heads, "num_attention_heads");
  c.add_option("--kv-heads", w.num_key_value_heads, "num_key_value_heads");
  c.add_option("--global-kv-heads", w.num_global_key_value_heads, "num_global_key_value_heads");
  c.add_option("--head-dim", w.head_dim, "head_dim of sliding layers");
  c.add_option("--global-head-dim", w.global_head_dim, "head_dim of full layers");
  c.add_option("--ffn", w.intermediate_size, "intermediate_size");
  c.add_option("--vocab", w.vocab_size, "vocab_size");
  c.add_option("--window", w.sliding_window, "sliding_window");
  c.add_option("--per-layer-width", w.hidden_size_per_layer_input, "hidden_size_per_layer_input");
  c.add_option("--shared-layers", w.num_kv_shared_layers, "num_kv_shared_layers");
  c.add_option("--experts", w.num_experts, "num_experts; 0: none");
  c.add_option("--top-k", w.top_k_experts, "top_k_experts");
  c.add_option("--expert-width", w.moe_intermediate_size, "moe_intermediate_size");
  c.add_option("--backbone-width", w.backbone_hidden_size, "backbone_hidden_size (drafters)");
  c.add_option("--centroids", w.num_centroids, "num_centroids (drafters)");
  c.add_option("--active-centroids", w.centroid_intermediate_top_k, "centroid_intermediate_top_k");
}

void add_encoder_widths(CLI::App& c, SynthCommand& o) {
  auto* flag = c.add_flag("--encoders", o.with_encoders, "write the encoders and their config too");
  SynthEncoders& w = o.encoders;
  const auto add = [&](const char* name, std::optional<std::size_t>& value,
                       const std::string& what) { c.add_option(name, value, what)->needs(flag); };
  add("--vision-width", w.vision_width, "hidden_size of the vision encoder; 0: none");
  add("--vision-layers", w.vision_layers, "num_hidden_layers of the vision encoder");
  add("--vision-heads", w.vision_heads, "num_attention_heads of the vision encoder");
  add("--vision-head-dim", w.vision_head_dim, "head_dim of the vision encoder, a multiple of 4");
  add("--vision-ffn", w.vision_ffn, "intermediate_size of the vision encoder");
  add("--vision-positions", w.vision_positions, "rows of the position table, per axis");
  add("--audio-width", w.audio_width, "hidden_size of the audio encoder; 0: none");
  add("--audio-layers", w.audio_layers, "num_hidden_layers of the audio encoder");
  add("--audio-heads", w.audio_heads, "num_attention_heads of the audio encoder");
  add("--audio-output", w.audio_output, "output_proj_dims of the audio encoder");
  add("--soft-tokens", w.image_soft_tokens, "budget of an image: " + budgets_text());
}

void add_synth(CLI::App& app, SynthCommand& o) {
  auto* c = app.add_subcommand("synth", "write a checkpoint from the closed-form generator");
  c->add_option("size", o.size, size_names() + ", or one of them with -drafter")->required();
  c->add_option("directory", o.directory, "a new folder")->required();
  add_widths(*c, o.widths);
  add_encoder_widths(*c, o);
  c->add_option("--layer-types", o.layer_types, "letters S (sliding) and F (full), as in SSFSSF");
  c->add_option("--dtype", o.dtype, "bf16, f16 or f32");
  c->add_option("--shard-megabytes", o.shard_megabytes, "largest file");
  c->add_flag("--text-only", o.text_only, "the text-only form instead of the multimodal one");
  c->add_flag("--without-shared-kv", o.without_shared_kv, "leave out keys and values nobody reads");
}

void add_inspect(CLI::App& app, InspectOptions& o) {
  auto* c =
      app.add_subcommand("inspect", "show what a checkpoint, golden, dump or media file holds");
  c->add_option("path", o.path, "a folder or file; of media PNG, JPEG, WAV, FLAC or video")
      ->required();
  c->add_option("--png", o.png,
                "draw patches and soft tokens, or log-mel and tokens, to this file");
  c->add_option("--budget", o.budget, "soft tokens of an image: " + budgets_text())
      ->check(CLI::IsMember(kSoftTokenBudgets));
  c->add_option("--frames", o.frames,
                "frames taken from a video; default: " + std::to_string(kVideoFrames))
      ->check(CLI::Range(std::size_t{1}, std::size_t{1024}));
}

struct Options {
  int threads = 1;
  VerifyOptions verify;
  CompareOptions compare;
  DumpOptions dump;
  SynthCommand synth;
  InspectOptions inspect;
  TapsOptions taps;
  ExplainOptions explain;
  TextOptions text;
};

void add_commands(CLI::App& app, Options& o) {
  app.require_subcommand(1);
  app.set_version_flag("--version", "assay " ASSAY_VERSION);
  app.add_option("--threads", o.threads, "threads of the matrix products; 1 repeats bit for bit")
      ->check(CLI::Range(1, 256));
  add_verify(app, o.verify);
  add_compare(app, o.compare);
  add_dump(app, o.dump);
  add_synth(app, o.synth);
  add_text_commands(app, o.text);
  add_inspect(app, o.inspect);
  app.add_subcommand("taps", "print the tap catalogue")
      ->add_option("pattern", o.taps.glob, "only taps that match, as in '*.attn.*'");
  app.add_subcommand("explain", "explain a tap, rule, mistake, switch or committed case")
      ->add_option("what", o.explain.what, "text.layer.0.attn.q_rope, R-31, M-46, …")
      ->required();
}

int run_command(const std::string& command, const Options& o) {
  if (const auto status = run_text_command(command, o.text)) {
    return *status;
  }
  if (command == "verify") {
    return verify(o.verify);
  }
  if (command == "compare") {
    return compare(o.compare);
  }
  if (command == "dump") {
    return dump(o.dump);
  }
  if (command == "synth") {
    return synth(o.synth);
  }
  if (command == "inspect") {
    return inspect(o.inspect);
  }
  return command == "taps" ? taps(o.taps) : explain(o.explain);
}

// One line for a command line that cannot be understood.
int refuse(const CLI::App& app, const CLI::ParseError& error,
           const std::vector<std::string>& arguments) {
  const bool unknown =
      app.get_subcommands().empty() && arguments.size() > 1 && !arguments[1].starts_with('-');
  const std::string what = unknown ? "got the command '" + arguments[1] + "'" : error.what();
  std::fprintf(stderr, "assay: %s; assay --help and assay COMMAND --help tell what is expected\n",
               what.c_str());
  return 2;
}

void use_threads(int threads) {
  for (const auto& [name, entry] : conformance::registered_implementations()) {
    if (entry.use_threads) {
      entry.use_threads(threads);
    }
  }
}

int run(const std::vector<std::string>& arguments) {
  CLI::App app{"Reference implementation and conformance suite of the Gemma 4 model family"};
  Options options;
  add_commands(app, options);
  try {
    app.name(arguments.front());
    std::vector<std::string> words(arguments.rbegin(), arguments.rend() - 1);
    app.parse(words);  // CLI11 takes them from the back
  } catch (const CLI::ParseError& error) {
    const bool help = error.get_exit_code() == 0;  // or --version
    return help ? app.exit(error) : refuse(app, error, arguments);
  }
  options.verify.command = command_line(arguments);
  options.compare.command = options.verify.command;
  use_threads(options.threads);
  conformance::self_test();
  return run_command(app.get_subcommands().front()->get_name(), options);
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
  try {
    return run(arguments);
  } catch (const Error& error) {
    std::fprintf(stderr, "assay: %s\n", error.what());
    return 2;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "assay: out of memory\n");
    return 3;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay: %s\n", error.what());
    return 3;
  }
}

}  // namespace assay::program
