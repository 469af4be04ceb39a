// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/gguf_writer.h"
#include "reference/family/convert/convert.h"
#include "reference/family/convert/gguf_model_keys.h"
#include "reference/family/convert/gguf_plan.h"
#include "reference/family/convert/write_tensors.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

bool has_encoders(const ModelConfig& config) {
  return config.vision || config.audio || config.unified_vision || config.unified_audio;
}

DType matrices_of(const Checkpoint& checkpoint, const ConvertOptions& options) {
  if (options.type) {
    return *options.type;
  }
  const auto stored = checkpoint.stored("embed_tokens.weight");
  const bool plain = stored && (stored->dtype == DType::kBf16 || stored->dtype == DType::kF16);
  return plain ? stored->dtype : DType::kF32;
}

// The folder's, or that of the file without its ending.
std::string name_of(const fs::path& checkpoint) {
  const fs::path path = fs::absolute(checkpoint).lexically_normal();
  const fs::path last = path.has_filename() ? path : path.parent_path();
  return (last.extension() == ".gguf" ? last.stem() : last.filename()).string();
}

void write_file(const Checkpoint& checkpoint, const GgufPlan& plan, GgufWriter& writer,
                ConvertProgress& progress, const ConvertListener& listener) {
  const auto append = [&](std::span<const std::byte> bytes) { writer.append(bytes); };
  write_tensors(checkpoint, plan.tensors, append, progress, listener);
  writer.finish();
}

void add_to_summary(const GgufPlan& plan, ConvertSummary& summary) {
  summary.tensors += plan.tensors.size();
  summary.bytes += bytes_of(plan.tensors);
  summary.in_halves.insert(summary.in_halves.end(), plan.in_halves.begin(), plan.in_halves.end());
  for (const std::string& name : plan.left_out) {
    summary.notes.push_back(name + " is left out: llama.cpp does not load it");
  }
}

// A file to be written.
struct Output {
  GgufPlan plan;
  GgufKeys keys;
  fs::path path;
};

Output model_output(const Checkpoint& checkpoint, const Companions& companions,
                    const fs::path& file, const GgufNaming& naming) {
  Output output{plan_gguf(checkpoint, GgufPart::kModel, naming.matrices), {}, file};
  add_model_keys(checkpoint.config(), naming, output.keys);
  add_companion_keys(companions, checkpoint.config().text.vocab_size, output.keys);
  if (!checkpoint.config().text.suppress_tokens.empty()) {
    output.keys.add_int32s("tokenizer.ggml.suppress_tokens",
                           checkpoint.config().text.suppress_tokens);
  }
  return output;
}

Output projector_output(const Checkpoint& checkpoint, const fs::path& file,
                        const GgufNaming& naming) {
  Output output{plan_gguf(checkpoint, GgufPart::kProjector, naming.matrices), {}, file};
  add_projector_keys(checkpoint.config(), naming, output.keys);
  return output;
}

}  // namespace

ConvertSummary convert_to_gguf(const Checkpoint& checkpoint, const Companions& companions,
                               const fs::path& file, const ConvertOptions& options,
                               const ConvertListener& listener) {
  const GgufNaming naming{name_of(checkpoint.path()), matrices_of(checkpoint, options)};
  ConvertSummary summary;
  summary.notes = scale_notes(checkpoint);
  std::vector<Output> outputs;
  outputs.push_back(model_output(checkpoint, companions, file, naming));
  if (!options.projector.empty()) {
    if (!has_encoders(checkpoint.config())) {
      throw Error(printable(checkpoint.path().string()) +
                  ": got a model without encoders, expected one for a projector file");
    }
    outputs.push_back(projector_output(checkpoint, options.projector, naming));
  } else if (has_encoders(checkpoint.config())) {
    summary.notes.emplace_back("the encoders are left out: a projector file is not asked for");
  }
  ConvertProgress progress;
  std::vector<GgufWriter> writers;
  for (const Output& output : outputs) {
    writers.emplace_back(output.path, output.keys, descriptions_of(output.plan.tensors));
    progress.bytes_total += bytes_of(output.plan.tensors);
  }
  require_space(fs::absolute(file).parent_path(), progress.bytes_total);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    write_file(checkpoint, outputs[i].plan, writers[i], progress, listener);
    add_to_summary(outputs[i].plan, summary);
  }
  for (GgufWriter& writer : writers) {
    writer.publish();
  }
  return summary;
}

}  // namespace assay
