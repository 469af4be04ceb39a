// SPDX-License-Identifier: Apache-2.0
// The command line of `assay run`.
#include <CLI/CLI.hpp>

#include "conformance/program/run_options.h"
#include "reference/family/config/soft_tokens.h"

namespace assay::program {
namespace {

const CLI::Range kTokens{std::size_t{1}, std::size_t{1} << 20};
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
  c.add_option("--frames", o.conversation.num_frames,
               "frames of a video; default: the checkpoint's")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1024}));
}

void add_sampling(CLI::App& c, RunOptions& o) {
  c.add_flag("--greedy", o.greedy, "always the likeliest token");
  c.add_option("--temperature", o.temperature, "default: as the checkpoint says, else greedy");
  c.add_option("--top-k", o.top_k, "only the K likeliest tokens; 0: all");
  c.add_option("--top-p", o.top_p, "only the likeliest tokens that make up P");
  c.add_option("--seed", o.seed, "of the sampling; the same seed gives the same answer");
  c.add_option("--max-tokens", o.max_tokens, "longest answer")->check(kTokens);
}

}  // namespace

void add_run(CLI::App& app, RunOptions& o) {
  auto* c = app.add_subcommand("run", "answer a prompt; without one, a line of input a turn");
  c->add_option("prompt", o.prompt, "what the user says");
  c->add_option("--checkpoint", o.session.checkpoint, "folder of the checkpoint")->required();
  c->add_option("--drafter", o.session.drafter, "folder of the drafter, for speculation");
  c->add_option("--draft-steps", o.session.draft_steps, "tokens drafted at a time; default: 4")
      ->check(kSteps);
  c->add_option("--impl", o.session.impl, "implementation: " + conformance::implementation_names());
  c->add_option("--precision", o.session.precision, "a class of the implementation, as f32");
  c->add_option("--profile", o.session.profile, "REF, or switches as in audio.window_keys=13");
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

}  // namespace assay::program
