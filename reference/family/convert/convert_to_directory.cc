// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/error.h"
#include "reference/family/base/new_file.h"
#include "reference/family/checkpoint/encoder_tensors.h"
#include "reference/family/checkpoint/safetensors_writer.h"
#include "reference/family/checkpoint/tensor_table.h"
#include "reference/family/config/write_config.h"
#include "reference/family/convert/convert.h"
#include "reference/family/convert/write_tensors.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

bool is_plain(DType dtype) {
  return dtype == DType::kBf16 || dtype == DType::kF16 || dtype == DType::kF32;
}

DType choose_type(const Checkpoint& checkpoint, const ExpectedTensor& expected,
                  const ConvertOptions& options) {
  if (expected.use == TensorUse::kInteger) {
    return DType::kI64;
  }
  if (options.type) {
    return *options.type;
  }
  const auto stored = checkpoint.stored(expected.name);
  return stored && is_plain(stored->dtype) ? stored->dtype : DType::kF32;
}

std::vector<PlannedTensor> plan_tensors(const Checkpoint& checkpoint,
                                        const ConvertOptions& options) {
  std::vector<PlannedTensor> tensors;
  for (const ExpectedTensor& expected : weights_of(checkpoint)) {
    PlannedTensor tensor;
    tensor.weight = expected.name;
    tensor.stored.name = stored_name(checkpoint.config(), expected.name);
    tensor.stored.dtype = choose_type(checkpoint, expected, options);
    tensor.stored.shape = expected.shape;
    tensor.stored.elements =
        tensor_size(tensor.stored.dtype, expected.shape, expected.name + ": ").elements;
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

// A matrix of the text model; its router is F32 in GGUF whatever the others are.
bool is_text_matrix(const PlannedTensor& tensor) {
  return tensor.stored.shape.size() >= 2 && encoder_half(tensor.weight) == EncoderHalf::kNone &&
         is_floating(tensor.stored.dtype) && !tensor.weight.ends_with(".router.proj.weight");
}

// What transformers loads everything as: the type of the text model's matrices, or one that holds
// all of them.
std::string torch_dtype(const std::vector<PlannedTensor>& tensors) {
  std::optional<DType> common;
  for (const PlannedTensor& tensor : tensors) {
    if (is_text_matrix(tensor)) {
      const bool same = !common || *common == tensor.stored.dtype;
      common = same ? tensor.stored.dtype : DType::kF32;
    }
  }
  return common == DType::kBf16 ? "bfloat16" : common == DType::kF16 ? "float16" : "float32";
}

void write_weights(const Checkpoint& checkpoint, const std::vector<PlannedTensor>& tensors,
                   const fs::path& path, ConvertProgress& progress,
                   const ConvertListener& listener) {
  SafetensorsWriter writer(path, descriptions_of(tensors));
  const auto append = [&](std::span<const std::byte> bytes) { writer.append(bytes); };
  write_tensors(checkpoint, tensors, append, progress, listener);
  writer.finish();
}

}  // namespace

ConvertSummary convert_to_directory(const Checkpoint& checkpoint, const Companions& companions,
                                    const fs::path& directory, const ConvertOptions& options,
                                    const ConvertListener& listener) {
  if (options.type && !is_plain(*options.type)) {
    throw Error("type: got " + std::string(dtype_name(*options.type)) +
                ", expected one of F32, F16, BF16 for a directory");
  }
  const std::vector<PlannedTensor> tensors = plan_tensors(checkpoint, options);
  ConvertProgress progress;
  progress.bytes_total = bytes_of(tensors);
  NewDirectory making(directory);
  require_space(making.path(), progress.bytes_total);
  write_text(making.path() / "config.json", config_text(checkpoint.config(), torch_dtype(tensors)));
  const std::string processor = processor_config_text(checkpoint.config());
  if (!processor.empty()) {
    write_text(making.path() / "processor_config.json", processor);
  }
  write_companion_files(companions, making.path());
  write_weights(checkpoint, tensors, making.path() / "model.safetensors", progress, listener);
  making.publish();
  return {tensors.size(), progress.bytes_total, {}, scale_notes(checkpoint)};
}

}  // namespace assay
