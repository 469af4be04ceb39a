// SPDX-License-Identifier: Apache-2.0
// The one door to CLI11, whose templates take seconds to compile for each type of option.
#include "conformance/program/command_line.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "conformance/doors/registry.h"
#include "conformance/program/judges.h"
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

// Where a checkpoint is; a file of encoders becomes part of its name (gguf_files.h).
CLI::Option* add_checkpoint(CLI::App& c, std::string& checkpoint, const std::string& what) {
  auto* option =
      c.add_option("--checkpoint", checkpoint, "the checkpoint, a folder or a GGUF file" + what);
  const auto encoders = std::make_shared<std::string>();
  c.add_option("--mmproj", *encoders, "the GGUF file of the encoders of a checkpoint in GGUF")
      ->needs(option);
  c.final_callback([&checkpoint, encoders] {
    if (!encoders->empty()) {
      checkpoint += "," + *encoders;
    }
  });
  return option;
}

void add_target(CLI::App& c, std::string& target) {
  c.add_option("--target", target,
               "instruction set of the implementation, as avx2, and those below; 'list' names what "
               "this machine has; default: the best");
}

void add_verify(CLI::App& app, VerifyOptions& o) {
  auto* c = app.add_subcommand("verify", "run an implementation on goldens and judge every tap");
  c->add_option("--impl", o.impl, "implementation: " + conformance::implementation_names());
  add_checkpoint(*c, o.checkpoint, "; default: the golden's own");
  c->add_option("--drafter", o.drafter, "the drafter, a folder or a GGUF file");
  c->add_option("--golden", o.golden, "a golden file or a folder of them; default: the committed");
  c->add_option("--case", o.case_glob, "only cases whose name matches, as in 'e2b-tiny/*'");
  c->add_option("--level", o.level, "what is judged: logits, blocks or taps");
  c->add_option("--precision", o.precisions,
                "classes of the implementation, as f32; default: all it has");
  c->add_option("--prefill", o.prefill, "feed the prompt N tokens at a time; 0: at once, 1: decode")
      ->check(kChunk);
  c->add_option("--mode", o.mode,
                "chained, replay, isolated (every block is fed the truth) or forced (fed the truth "
                "once, see --depth); default: chained, and replay of what is not the oracle");
  c->add_option("--depth", o.depth, "of --mode forced: the first layer that is fed; default: half");
  add_target(*c, o.target);
  c->add_option("--profile", o.profile, kProfileHelp);
  c->add_flag("--properties", o.properties,
              "try the properties too: what must hold without a golden, as that chunks change "
              "nothing; on --checkpoint, or on the committed ones");
  c->add_option("--tokens", o.tokens, "length of the built-in case without a golden; default: 16")
      ->check(kTokenCount);
  c->add_option("--diagnosis", o.diagnosis,
                "seconds to look for the known mistake that a failure is; default: 8, 0: none")
      ->check(CLI::Range(0.0, 3600.0));
  c->add_option("--report", o.report, "folder for report.json, junit.xml, report.html, report.md");
}

void add_compare(CLI::App& app, CompareOptions& o) {
  auto* c = app.add_subcommand("compare", "judge a dump of any origin against a golden");
  c->add_option("golden", o.golden, "the golden file")->required();
  c->add_option("dump", o.dump, "the dump: .safetensors or HDF5, tap names as keys")->required();
  c->add_option("--map", o.map,
                "CSV of tap,name for a dump with names of its own, {i} for the layer; the maps of "
                "hooks serve, too (scripts/ports/maps/README.md)");
  add_checkpoint(*c, o.checkpoint, ", for replay; default: the golden's own");
  c->add_option("--drafter", o.drafter, "the drafter, a folder or a GGUF file");
  c->add_option("--only", o.only,
                "claim no more than the taps that match, as in 'text.layer.0.*'; else a case "
                "whose logits are not tested is no pass");
  c->add_flag("--rounded-dump", o.rounded_dump,
              "the values were rounded to the class when they were dumped, those that were used "
              "were not; an HDF5 dump may say so itself, dump_exact = false");
  c->add_flag("--own-roundings", o.own_roundings,
              "a 16-bit program that rounds where no known one does: judge its values by relative "
              "error alone; an HDF5 dump may say so itself, rounding_points = own");
  c->add_flag(
      "--own-truth", o.own_truth,
      "take the fp64 run of --checkpoint for the truth, and of the golden its inputs alone");
  c->add_option("--precision", o.precision,
                "class the port claims: " + precision_class_names(" or "));
  c->add_option("--mode", o.mode, "chained or replay; default: both");
  c->add_option("--profile", o.profile, kProfileHelp);
  c->add_option("--diagnosis", o.diagnosis,
                "seconds to look for the known mistake that a failure is; default: 8, 0: none")
      ->check(CLI::Range(0.0, 3600.0));
  c->add_option("--report", o.report, "folder for report.json, junit.xml, report.html, report.md");
}

void add_mutate(CLI::App& app, MutateOptions& o) {
  auto* c = app.add_subcommand("mutate", "prove the suite: run the catalogue's mistakes");
  c->add_option("pattern", o.glob, "only labels that match, as in 'M-60*'; default: all");
  c->add_option("--golden", o.golden, "a golden file or a folder of them; default: the committed");
  c->add_option("--case", o.case_glob, "only cases whose name matches, as in 'e2b-tiny/*'");
  c->add_option("--precision", o.precision, "class of the candidate; default: f32");
  c->add_option("--sample", o.sample, "run so many of them, drawn at random; default: all");
  c->add_option("--seed", o.seed, "of --sample and --innocent; default: 1");
  c->add_option("--innocent", o.innocent,
                "instead: run so many honest variants, none of which may be refused");
  c->add_option("--checkpoint", o.checkpoint,
                "of --innocent: a checkpoint without goldens; the fp64 reference is its truth");
  c->add_option("--tokens", o.tokens, "length of the prompt for --checkpoint; default: 11");
  c->add_flag("--power", o.power,
              "instead: measure how far each mistake moves each tap of the cases and write "
              "CHECKPOINT.txt into --report, for verify and compare");
  c->add_option("--report", o.report,
                "folder for mutants.json, for innocent.jsonl, or for the tables of --power");
  c->add_flag("--resume", o.resume, "go on from the mutants.json or innocent.jsonl of --report");
}

void add_dump(CLI::App& app, DumpOptions& o) {
  auto* c = app.add_subcommand("dump", "write the taps of one case to a file");
  c->add_option("--impl", o.impl, "implementation: " + conformance::implementation_names());
  add_checkpoint(*c, o.checkpoint, "")->required();
  c->add_option("--drafter", o.drafter, "the drafter, a folder or a GGUF file");
  c->add_option("--case", o.case_file, "a golden or a case file")->required();
  c->add_option("--out", o.out, "the HDF5 file to write; replaces an older dump, nothing else")
      ->required();
  c->add_option("--precision", o.precision, "a class of the implementation, as f32");
  c->add_option("--taps", o.taps, "only taps that match, as in 'text.layer.0.*'");
  add_target(*c, o.target);
  c->add_option("--profile", o.profile, kProfileHelp);
  c->add_option("--prefill", o.prefill, "feed the prompt N tokens at a time; 0: at once")
      ->check(kChunk);
}

void add_bench(CLI::App& app, CommandLine& line) {
  auto* c = app.add_subcommand("bench", "tokens a second, and the share of the machine");
  BenchOptions& o = line.bench;
  c->add_option("--impl", o.impl, "implementation: " + conformance::implementation_names());
  add_checkpoint(*c, o.checkpoint, "")->required();
  c->add_option("--precision", o.precision,
                "a class of the implementation; default: the fastest for the weights");
  c->add_option("-p,--prompt", o.prompt, "tokens of the prefill; 0: none")->check(kChunk);
  c->add_option("-n,--generate", o.generate, "tokens decoded; 0: none")->check(kChunk);
  c->add_option("-d,--depth", o.depth, "tokens in the cache before them")->check(kTokenCount);
  c->add_option("-r,--repetitions", o.repetitions, "samples of each")->check(CLI::Range(1, 1000));
  c->add_option("-t", line.threads, "threads")->check(CLI::Range(1, 256));
  c->add_option("--kv", o.cache,
                "how keys and values are kept: f32, bf16 or, by the CPU engine, q8_0");
  c->add_flag("--no-kv-skip", o.no_skip,
              "run the layers that share keys and values for every token of the prompt");
  c->add_flag("--json", o.json, "print one JSON object");
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

void add_convert(CLI::App& app, ConvertCommand& o) {
  auto* c = app.add_subcommand("convert", "a Hugging Face folder to GGUF, and the other way round");
  c->add_option("checkpoint", o.source, "a folder or a GGUF file")->required();
  c->add_option("out", o.out, "NAME.gguf, or a new folder")->required();
  c->add_option("--type", o.type,
                "of the matrices: f32, f16, bf16, in GGUF also q8_0 and q4_0; default: as they are "
                "stored");
  c->add_option("--mmproj", o.projector,
                "of a folder: the GGUF file to write its encoders to; of a GGUF file: the one to "
                "read them from");
}

void add_inspect(CLI::App& app, InspectOptions& o) {
  auto* c =
      app.add_subcommand("inspect", "show what a checkpoint, golden, dump or media file holds");
  c->add_option("path", o.path,
                "a folder or file; of media images, audio and video, told by content")
      ->required();
  c->add_option("--png", o.png,
                "draw patches and soft tokens, or log-mel and tokens, to this file");
  c->add_option("--budget", o.budget, "soft tokens of an image: " + budgets_text())
      ->check(CLI::IsMember(kSoftTokenBudgets));
  auto* frames =
      c->add_option("--frames", o.frames,
                    "frames taken from a video; default: " + std::to_string(kVideoFrames) +
                        ", or all of a short one");
  frames->check(CLI::Range(std::size_t{1}, std::size_t{1024}));
  c->add_option("--fps", o.fps, "frames taken from a video by this many per second (rule RX-2)")
      ->check(CLI::PositiveNumber)
      ->excludes(frames);
}

constexpr const char* kVocabHelp =
    "the tokenizer: tokenizer.json, a GGUF file, or token strings joined by NUL (also as .xz)";

bool has_no_ple(const ReleasedSize& size) {
  return !has_ple(size);
}

void add_tokenize(CLI::App& app, TokenizeOptions& o) {
  auto* c = app.add_subcommand("tokenize", "text to ids: {id, text} a line in, {id, ids} out");
  c->add_option("--checkpoint", o.checkpoint, "folder with a tokenizer.json, or a GGUF file");
  c->add_option("--vocab", o.vocab, kVocabHelp);
  c->add_flag("--decode", o.decode, "ids to text: {id, ids} in, {id, text} out");
  c->add_flag("--plain", o.plain, "control literals in the text are text, not control tokens");
  c->add_flag("--skip-control", o.skip_control, "with --decode: leave control tokens out");
  c->add_option("file", o.file, "JSON lines; default: standard input");
}

void add_prompt(CLI::App& app, PromptOptions& o) {
  auto* c = app.add_subcommand("prompt", "chat cases to prompts: {id, text, ids} a line");
  c->add_option("--checkpoint", o.checkpoint,
                "folder or GGUF file whose size chooses the template");
  c->add_option("--template", o.variant,
                "small (" + size_titles(has_ple) + ") or large (" + size_titles(has_no_ple) + ")");
  c->add_option("--vocab", o.vocab, kVocabHelp);
  c->add_option("file", o.file, "JSON lines: messages, tools, …; default: standard input");
}

void add_parse(CLI::App& app, ParseOptions& o) {
  auto* c = app.add_subcommand("parse", "model turns to reasoning, content and tool calls");
  c->add_option("--checkpoint", o.checkpoint,
                "folder with a tokenizer.json, or a GGUF file, for lines with ids");
  c->add_option("--vocab", o.vocab, kVocabHelp);
  c->add_flag("--strict", o.strict, "repair nothing");
  c->add_option("file", o.file, "JSON lines: {id, ids or text, in_thought, tools, width, height}");
}

const CLI::Range kSteps{std::size_t{1}, std::size_t{64}};

void add_media(CLI::App& c, RunOptions& o) {
  c.add_option("--image", o.conversation.images, "a PNG or JPEG file; may be given several times")
      ->take_all()
      ->allow_extra_args(false);
  c.add_option("--audio", o.conversation.clips,
               "a WAV or FLAC file, or a video for its audio track")
      ->take_all()
      ->allow_extra_args(false);
  c.add_option("--video", o.conversation.videos, "a video file: its frames")
      ->take_all()
      ->allow_extra_args(false);
  c.add_option("--budget", o.conversation.budget, "soft tokens of an image: " + budgets_text())
      ->check(CLI::IsMember(kSoftTokenBudgets));
  auto* frames = c.add_option("--frames", o.conversation.num_frames,
                              "frames of a video; default: the checkpoint's");
  frames->check(CLI::Range(std::size_t{1}, std::size_t{1024}));
  c.add_option("--fps", o.conversation.frame_rate,
               "frames taken from a video by this many per second (rule RX-2)")
      ->check(CLI::PositiveNumber)
      ->excludes(frames);
}

void add_sampling(CLI::App& c, RunOptions& o) {
  c.add_flag("--greedy", o.greedy, "always the likeliest token");
  c.add_option("--temperature", o.temperature, "default: as the checkpoint says, else greedy");
  c.add_option("--top-k", o.top_k, "only the K likeliest tokens; 0: all");
  c.add_option("--top-p", o.top_p, "only the likeliest tokens that make up P");
  c.add_option("--seed", o.seed, "of the sampling; the same seed gives the same answer");
  c.add_option("--max-tokens", o.max_tokens, "longest answer")->check(kTokenCount);
}

void add_run(CLI::App& app, RunOptions& o) {
  auto* c = app.add_subcommand("run",
                               "answer a prompt; without one, a line of input a turn, where "
                               "/tool NAME RESULT answers a call");
  auto* prompt = c->add_option("prompt", o.prompt, "what the user says");
  c->add_option("--messages", o.messages,
                "JSON lines, a message each: user, or tool with the result of a call; -: standard "
                "input")
      ->excludes(prompt);
  add_checkpoint(*c, o.session.checkpoint, "")->required();
  c->add_option("--drafter", o.session.drafter,
                "the drafter, a folder or a GGUF file, for speculation");
  c->add_option("--draft-steps", o.session.draft_steps, "tokens drafted at a time; default: 4")
      ->check(kSteps);
  c->add_option("--impl", o.session.impl, "implementation: " + conformance::implementation_names());
  c->add_option("--precision", o.session.precision, "a class of the implementation, as f32");
  c->add_option("--profile", o.session.profile, "REF, or switches as in audio.window_keys=13");
  add_target(*c, o.session.target);
  c->add_option("--vocab", o.vocab, "the tokenizer; default: the checkpoint's tokenizer.json");
  c->add_option("--template", o.variant, "small or large; default: as the checkpoint's size asks");
  c->add_option("--system", o.conversation.system, "the system message");
  c->add_option("--tools", o.conversation.tools, "a JSON file with a list of tools");
  c->add_flag("--think", o.conversation.think, "let the model think before it answers");
  c->add_flag("--raw", o.conversation.raw,
              "complete the prompt as it is, without the chat template");
  c->add_flag("--json", o.json, "print one JSON object: ids, log-probabilities, parse, timings");
  c->add_flag("--check-json", o.check_json, "exit 1 unless the answer is JSON");
  add_media(*c, o);
  add_sampling(*c, o);
}

// Unsigned options take decimal or 0x digits of 64 bits. CLI11 alone would take -1 and 2^64 for the
// largest number, and 010 for eight.
std::string refuse_other_than_unsigned(const std::string& value) {
  const bool hexadecimal = value.starts_with("0x") || value.starts_with("0X");
  const char* first = value.data() + (hexadecimal ? 2 : 0);
  const char* last = value.data() + value.size();
  std::uint64_t number = 0;
  const auto [end, state] = std::from_chars(first, last, number, hexadecimal ? 16 : 10);
  const bool octal = !hexadecimal && value.size() > 1 && value.starts_with('0');
  if (state == std::errc() && end == last && !octal) {
    return "";
  }
  return "got " + printable(value) + ", expected an integer from 0 to 2^64 - 1";
}

void check_unsigned_options(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_type_name().find("UINT") != std::string::npos) {
      option->check(refuse_other_than_unsigned);
    }
  }
  for (CLI::App* command : app.get_subcommands({})) {
    check_unsigned_options(*command);
  }
}

void add_commands(CLI::App& app, CommandLine& o) {
  app.require_subcommand(1);
  app.set_version_flag("--version", "assay " ASSAY_VERSION);
  app.add_option("--threads", o.threads, "threads of the matrix products; 1 repeats bit for bit")
      ->check(CLI::Range(1, 256));
  add_verify(app, o.verify);
  add_compare(app, o.compare);
  add_mutate(app, o.mutate);
  add_dump(app, o.dump);
  add_synth(app, o.synth);
  add_convert(app, o.convert);
  add_tokenize(app, o.text.tokenize);
  add_prompt(app, o.text.prompt);
  add_parse(app, o.text.parse);
  add_run(app, o.text.run);
  add_bench(app, o);
  add_inspect(app, o.inspect);
  app.add_subcommand("taps", "print the tap catalogue")
      ->add_option("pattern", o.taps.glob, "only taps that match, as in '*.attn.*'");
  app.add_subcommand("explain", "explain a tap, rule, mistake, switch or committed case")
      ->add_option("what", o.explain.what, "text.layer.0.attn.q_rope, R-31, M-46, …")
      ->required();
  check_unsigned_options(app);
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

}  // namespace

std::optional<int> read_command_line(const std::vector<std::string>& arguments, CommandLine& line) {
  CLI::App app{"Reference implementation and conformance suite of the Gemma 4 model family"};
  add_commands(app, line);
  try {
    app.name(arguments.front());
    std::vector<std::string> words(arguments.rbegin(), arguments.rend() - 1);
    app.parse(words);  // CLI11 takes them from the back
  } catch (const CLI::ParseError& error) {
    const bool help = error.get_exit_code() == 0;  // or --version
    return help ? app.exit(error) : refuse(app, error, arguments);
  }
  line.name = app.get_subcommands().front()->get_name();
  return std::nullopt;
}

}  // namespace assay::program
