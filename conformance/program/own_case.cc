// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/own_case.h"

#include <algorithm>

#include "conformance/compare/chained.h"
#include "conformance/compare/precision.h"
#include "reference/family/base/error.h"
#include "reference/family/checkpoint/gguf_files.h"

namespace assay::program {
namespace {

bool is_special(std::int32_t id, const SpecialTokens& special) {
  return id == special.pad || id == special.image || id == special.video || id == special.audio;
}

std::vector<std::int32_t> seeded_ids(const TextConfig& config, std::size_t count) {
  conformance::Random random(1);
  std::vector<std::int32_t> ids;
  while (ids.size() < count) {
    const auto id = static_cast<std::int32_t>(random.next() % config.vocab_size);
    if (!is_special(id, config.special) || config.vocab_size <= 4) {
      ids.push_back(id);
    }
  }
  return ids;
}

}  // namespace

std::string own_case_name(const VerifyOptions& options) {
  return "own/text-" + std::to_string(options.tokens);
}

conformance::Golden own_case(conformance::Implementation& f64, const ModelConfig& model,
                             const VerifyOptions& options) {
  if (options.tokens == 0) {
    throw Error("--tokens: got 0, expected at least 1");
  }
  conformance::CaseInput input;
  input.ids = seeded_ids(model.text, options.tokens);
  if (!options.drafter.empty()) {
    input.draft = conformance::DraftRequest{input.ids.front(), 3, false};
  }
  auto golden = conformance::golden_from_run(f64, input, {});
  golden.case_name = own_case_name(options);
  golden.checkpoint = checkpoint_name(options.checkpoint);
  return golden;
}

}  // namespace assay::program
