// SPDX-License-Identifier: Apache-2.0
// Goldens and their checkpoints as plain files, for machines without HDF5 (plain_golden.h).
//
//   export_goldens GOLDEN_FOLDER TO [TEXT]…      cases whose name has one of the texts; none: all
//
// Files of images and audio become pixels and samples, for the libraries that read them may be
// missing there, too. Videos stay as they are: cuda_verify counts their cases as not supported.
#include <cstdio>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <variant>

#include "conformance/records/plain_golden.h"
#include "reference/family/base/error.h"
#include "reference/family/media/media_file.h"

namespace assay::conformance {
namespace {

namespace fs = std::filesystem;

void open_file(MediaItem& item) {
  if (item.file.empty() || item.kind == MediaKind::kVideo) {
    return;
  }
  const auto content = decode_media(std::as_bytes(std::span(item.file)), item.kind, item.name);
  if (const Image* const image = std::get_if<Image>(&content)) {
    item.rgb = {{image->size.height, image->size.width, 3}, {image->rgb.begin(), image->rgb.end()}};
  } else if (const Audio* const audio = std::get_if<Audio>(&content)) {
    item.samples = {{audio->samples.size()}, {audio->samples.begin(), audio->samples.end()}};
  }
  item.file.clear();
}

bool wanted(const std::string& name, int count, char** arguments) {
  for (int i = 3; i < count; ++i) {
    if (name.find(arguments[i]) != std::string::npos) {
      return true;
    }
  }
  return count <= 3;
}

void run(int count, char** arguments) {
  if (count < 3) {
    throw Error("got too few words, expected the folder of goldens and the one to write");
  }
  const fs::path from = arguments[1], to = arguments[2];
  std::set<std::string> checkpoints;
  std::size_t cases = 0;
  for (const auto& entry : fs::recursive_directory_iterator(from / "cases")) {
    const fs::path name = entry.path().lexically_relative(from / "cases");
    if (entry.path().extension() != ".h5" || !wanted(name.string(), count, arguments)) {
      continue;
    }
    Golden golden = read_golden(entry.path());
    if (!golden.input.requests.empty()) {
      continue;  // the text around the network
    }
    for (MediaItem& item : golden.input.media) {
      open_file(item);
    }
    fs::path out = to / "cases" / name;
    fs::create_directories(out.parent_path());
    write_plain_golden(golden, out.replace_extension());
    checkpoints.insert(golden.checkpoint);
    if (!golden.drafter.empty()) {
      checkpoints.insert(golden.drafter);
    }
    ++cases;
  }
  for (const std::string& name : checkpoints) {
    fs::create_directories(to / "checkpoints");
    fs::copy(from / "checkpoints" / name, to / "checkpoints" / name,
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }
  std::printf("%zu cases, %zu checkpoints\n", cases, checkpoints.size());
}

}  // namespace
}  // namespace assay::conformance

int main(int count, char** arguments) {
  try {
    assay::conformance::run(count, arguments);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "export_goldens: %s\n", error.what());
    return 2;
  }
}
