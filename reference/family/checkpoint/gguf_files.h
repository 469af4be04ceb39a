// SPDX-License-Identifier: Apache-2.0
// The GGUF files of one checkpoint: a model or a drafter, whole or split into several files
// (NAME-00001-of-00003.gguf), and the file of its encoders (architecture "clip") where there is
// one.
//
// A checkpoint in GGUF is named by
//
//   MODEL.gguf                  the model alone; of a split one its first file
//   MODEL.gguf,ENCODERS.gguf    the model and its encoders, in either order
//   DIRECTORY                   without config.json: its one model, and its encoders where they are
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/family/base/mapped_file.h"
#include "reference/family/checkpoint/container.h"
#include "reference/family/checkpoint/gguf_metadata.h"

namespace assay {

// The head of one file, mapped.
class GgufHead {
 public:
  explicit GgufHead(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const GgufMetadata& metadata() const { return metadata_; }
  // "gemma4", "gemma4-assistant", "clip", …
  const std::string& architecture() const { return architecture_; }

 private:
  std::filesystem::path path_;
  MappedFile file_;
  GgufMetadata metadata_;
  std::string architecture_;
};

struct GgufFiles {
  std::unique_ptr<GgufHead> model;
  std::unique_ptr<GgufHead> encoders;  // null: none
};

// Whether `checkpoint` names GGUF files; looks at names and first bytes only.
bool is_gguf_checkpoint(const std::filesystem::path& checkpoint);

// What reports call a checkpoint: the name of its folder or file; of MODEL.gguf,ENCODERS.gguf the
// model's. Throws where the two are not a model and its encoders.
std::string checkpoint_name(const std::filesystem::path& checkpoint);

// Throws where there is no model, more than one, or more than one file of encoders.
GgufFiles open_gguf_heads(const std::filesystem::path& checkpoint);

// The tensors of the model's files, the first first, then the encoders'.
std::vector<Container> open_gguf_containers(const GgufFiles& files);

}  // namespace assay
