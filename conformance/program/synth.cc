// SPDX-License-Identifier: Apache-2.0
// assay synth: a checkpoint of any size from the closed-form generator.
#include <cstdio>

#include "conformance/program/options.h"
#include "conformance/program/progress.h"
#include "reference/family/base/error.h"
#include "reference/family/synth/synth.h"

namespace assay::program {
namespace {

DType dtype_named(const std::string& name) {
  if (name == "bf16") {
    return DType::kBf16;
  }
  if (name == "f16") {
    return DType::kF16;
  }
  if (name == "f32") {
    return DType::kF32;
  }
  throw Error("--dtype: got '" + name + "', expected bf16, f16 or f32");
}

// Layer kinds as letters: S sliding, F full.
std::vector<LayerKind> kinds_of(const std::string& letters) {
  std::vector<LayerKind> kinds;
  for (const char letter : letters) {
    if (letter != 'S' && letter != 'F') {
      throw Error("--layer-types: got '" + letters + "', expected letters S and F, as in SSFSSF");
    }
    kinds.push_back(letter == 'S' ? LayerKind::kSliding : LayerKind::kFull);
  }
  return kinds;
}

double gigabytes(std::size_t bytes) {
  return static_cast<double>(bytes) / 1e9;
}

}  // namespace

int synth(const SynthCommand& command) {
  SynthOptions options = command.widths;
  options.dtype = dtype_named(command.dtype);
  options.layer_types = kinds_of(command.layer_types);
  options.form = command.text_only ? SynthForm::kTextOnly : SynthForm::kMultimodal;
  options.store_shared_kv = !command.without_shared_kv;
  if (command.with_encoders) {
    options.encoders = command.encoders;
  }
  if (command.shard_megabytes == 0) {
    throw Error("--shard-megabytes: got 0, expected at least 1");
  }
  options.shard_bytes = command.shard_megabytes << 20;
  Progress progress;
  const auto summary = write_synthetic_checkpoint(
      command.size, command.directory, options,
      [&](const SynthProgress& state) { progress.show(state.bytes_done, state.bytes_total); });
  std::printf("%zu tensors, %zu parameters, %.2f GB in %zu file%s: %s\n", summary.tensors,
              summary.parameters, gigabytes(summary.bytes), summary.files,
              summary.files == 1 ? "" : "s", command.directory.c_str());
  return 0;
}

}  // namespace assay::program
