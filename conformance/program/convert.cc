// SPDX-License-Identifier: Apache-2.0
// assay convert: a checkpoint in another form.
#include "reference/family/convert/convert.h"

#include <cstdio>
#include <filesystem>

#include "conformance/program/options.h"
#include "conformance/program/progress.h"
#include "reference/family/base/error.h"
#include "reference/family/checkpoint/gguf_files.h"

namespace assay::program {
namespace {

constexpr std::size_t kLongBytes = std::size_t{1} << 27;  // from here on progress is shown

struct TypeOption {
  std::string_view name;
  std::string_view dtype;
};

constexpr TypeOption kTypes[] = {
    {"f32", "F32"}, {"f16", "F16"}, {"bf16", "BF16"}, {"q8_0", "Q8_0"}, {"q4_0", "Q4_0"}};

std::optional<DType> type_named(const std::string& name) {
  if (name.empty()) {
    return std::nullopt;
  }
  for (const TypeOption& option : kTypes) {
    if (option.name == name) {
      for (const DTypeInfo& row : all_dtypes()) {
        if (row.name == option.dtype) {
          return DType(row);
        }
      }
    }
  }
  throw Error("--type: got '" + printable(name) + "', expected f32, f16, bf16, q8_0 or q4_0");
}

bool is_gguf_name(const std::filesystem::path& path) {
  return path.extension() == ".gguf";
}

void print_summary(const ConvertSummary& summary, const ConvertCommand& command) {
  std::printf("%zu tensors, %.2f GB: %s\n", summary.tensors,
              static_cast<double>(summary.bytes) / 1e9, command.out.c_str());
  if (!summary.in_halves.empty()) {
    std::printf("note: %zu tensors are F16, as their rows are no whole blocks of %s: %s%s\n",
                summary.in_halves.size(), command.type.c_str(), summary.in_halves[0].c_str(),
                summary.in_halves.size() > 1 ? ", …" : "");
  }
  for (const std::string& note : summary.notes) {
    std::printf("note: %s\n", note.c_str());
  }
}

}  // namespace

int convert(const ConvertCommand& command) {
  ConvertOptions options;
  options.type = type_named(command.type);
  const bool to_gguf = is_gguf_name(command.out);
  const bool from_gguf = is_gguf_checkpoint(command.source);
  const bool has_projector = !command.projector.empty();
  if (!to_gguf && !from_gguf && has_projector) {
    throw Error("--mmproj: got " + printable(command.projector) +
                " for a folder that becomes a folder, expected GGUF on one side");
  }
  const std::string source =
      from_gguf && has_projector ? command.source + "," + command.projector : command.source;
  const Checkpoint checkpoint = Checkpoint::open(source);
  for (const std::string& note : checkpoint.notes()) {
    std::printf("note: %s\n", note.c_str());
  }
  const Companions companions = read_companions(source);
  options.projector = from_gguf ? "" : command.projector;
  Progress progress;
  const auto listener = [&](const ConvertProgress& state) {
    if (state.bytes_total >= kLongBytes) {
      progress.show(state.bytes_done, state.bytes_total);
    }
  };
  const ConvertSummary summary =
      to_gguf ? convert_to_gguf(checkpoint, companions, command.out, options, listener)
              : convert_to_directory(checkpoint, companions, command.out, options, listener);
  print_summary(summary, command);
  return 0;
}

}  // namespace assay::program
