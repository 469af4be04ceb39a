// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf_files.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "reference/family/base/error.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSplitCount = "split.count";
constexpr const char* kSplitNumber = "split.no";
constexpr std::uint64_t kMaxSplits = 99999;

bool begins_as_gguf(const fs::path& path) {
  std::array<char, 4> magic{};
  std::ifstream file(path, std::ios::binary);
  file.read(magic.data(), magic.size());
  return file && std::string_view(magic.data(), magic.size()) == "GGUF";
}

bool is_there(const fs::path& path) {
  std::error_code problem;
  return fs::exists(path, problem);
}

bool is_folder(const fs::path& path) {
  std::error_code problem;
  return fs::is_directory(path, problem);
}

std::vector<fs::path> files_of_directory(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(directory, problem)) {
    if (entry.path().extension() == ".gguf") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The paths that `checkpoint` names: two where a comma stands between files that are there.
std::vector<fs::path> named_files(const fs::path& checkpoint) {
  if (is_folder(checkpoint)) {
    return files_of_directory(checkpoint);
  }
  const std::string text = checkpoint.string();
  if (!is_there(checkpoint)) {
    for (std::size_t comma = text.find(','); comma != std::string::npos;
         comma = text.find(',', comma + 1)) {
      if (is_there(text.substr(0, comma))) {
        return {text.substr(0, comma), text.substr(comma + 1)};
      }
    }
  }
  return {checkpoint};
}

bool is_later_split(const GgufHead& head) {
  return head.metadata().integer_or(kSplitNumber, 0) > 0;
}

void keep_one(std::unique_ptr<GgufHead>& kept, std::unique_ptr<GgufHead> head,
              const std::string& what) {
  if (kept != nullptr) {
    throw Error(printable(head->path().string()) + ": got a second " + what + " beside " +
                printable(kept->path().filename().string()) +
                ", expected one: name the files, MODEL.gguf,ENCODERS.gguf");
  }
  kept = std::move(head);
}

std::string split_suffix(std::uint64_t number, std::uint64_t count) {
  std::array<char, 32> text{};
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): digits with leading zeros
  std::snprintf(text.data(), text.size(), "-%05u-of-%05u.gguf", static_cast<unsigned>(number),
                static_cast<unsigned>(count));
  return text.data();
}

std::vector<fs::path> split_paths(const GgufHead& first) {
  const std::uint64_t count = first.metadata().integer_or(kSplitCount, 1);
  const std::string name = first.path().filename().string();
  if (count <= 1) {
    return {first.path()};
  }
  const std::string suffix = split_suffix(1, count);
  if (count > kMaxSplits || !name.ends_with(suffix)) {
    throw Error(printable(name) + ": " + kSplitCount + ": got " + std::to_string(count) +
                ", expected a name that ends in " + suffix);
  }
  std::vector<fs::path> paths;
  for (std::uint64_t i = 1; i <= count; ++i) {
    paths.push_back(first.path().parent_path() /
                    (name.substr(0, name.size() - suffix.size()) + split_suffix(i, count)));
  }
  return paths;
}

}  // namespace

GgufHead::GgufHead(const fs::path& path)
    : path_(path),
      file_(MappedFile::open(path, path.filename().string())),
      metadata_(file_.bytes(), path.filename().string()),
      architecture_(metadata_.text("general.architecture")) {}

bool is_gguf_checkpoint(const fs::path& checkpoint) {
  if (is_folder(checkpoint) && is_there(checkpoint / "config.json")) {
    return false;
  }
  const auto files = named_files(checkpoint);
  return !files.empty() && std::ranges::any_of(files, begins_as_gguf);
}

std::string checkpoint_name(const fs::path& checkpoint) {
  const bool two_files = !is_folder(checkpoint) && named_files(checkpoint).size() == 2;
  const fs::path path = two_files ? open_gguf_heads(checkpoint).model->path() : checkpoint;
  return path.filename().string();
}

GgufFiles open_gguf_heads(const fs::path& checkpoint) {
  GgufFiles files;
  for (const fs::path& path : named_files(checkpoint)) {
    auto head = std::make_unique<GgufHead>(path);
    if (is_folder(checkpoint) && is_later_split(*head)) {
      continue;
    }
    if (is_later_split(*head)) {
      throw Error(printable(path.string()) + ": " + kSplitNumber + ": got " +
                  std::to_string(head->metadata().integer_or(kSplitNumber, 0)) +
                  ", expected the first file of the split, 0");
    }
    const bool clip = head->architecture() == "clip";
    keep_one(clip ? files.encoders : files.model, std::move(head),
             clip ? "file of encoders" : "model");
  }
  if (files.model == nullptr) {
    throw Error(
        printable(checkpoint.string()) +
        (files.encoders ? ": got the encoders alone (architecture clip)" : ": got nothing") +
        ", expected a model in GGUF: MODEL.gguf,ENCODERS.gguf");
  }
  return files;
}

std::vector<Container> open_gguf_containers(const GgufFiles& files) {
  std::vector<Container> containers;
  for (const fs::path& path : split_paths(*files.model)) {
    containers.push_back(Container::open(path));
  }
  if (files.encoders != nullptr) {
    containers.push_back(Container::open(files.encoders->path()));
  }
  return containers;
}

}  // namespace assay
