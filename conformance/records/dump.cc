// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/dump.h"

#include <algorithm>
#include <utility>

#include "conformance/catalogue/catalogue.h"
#include "conformance/records/file_kind.h"
#include "conformance/records/hdf5_file.h"
#include "conformance/records/probe.h"
#include "conformance/records/tap_order.h"
#include "conformance/records/tap_reader.h"
#include "reference/family/base/error.h"
#include "reference/family/checkpoint/container.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kMaxElements = std::size_t{1} << 28;
constexpr std::size_t kMaxValues = std::size_t{1} << 29;  // 4 GiB of doubles

// The file's own names by tap name. Two names of one tap are an error.
using Sources = std::map<std::string, std::string>;

void add_source(Sources& sources, const std::string& label, const std::string& name,
                const NameMap* map) {
  const std::string tap = map == nullptr ? name : map->tap_of(name).value_or(name);
  const auto [at, added] = sources.emplace(tap, name);
  if (!added) {
    throw Error(label + ": " + tap + ": got " + at->second + " and " + name +
                ", expected one of them");
  }
}

std::vector<std::string> ordered_taps(const Sources& sources, Dump& dump) {
  std::vector<std::string> names;
  for (const auto& [tap, source] : sources) {
    names.push_back(tap);
    if (!find_tap(tap)) {
      dump.unknown.push_back(tap);
    }
  }
  sort_by_execution(names);
  return names;
}

bool is_tap(const Hdf5File& file, const std::string& path) {
  return file.kind(path) == Hdf5Kind::kDataset || file.kind(path + "/hi") == Hdf5Kind::kDataset ||
         file.kind(path + "/value") == Hdf5Kind::kDataset;
}

Dump read_hdf5(const std::filesystem::path& path, const NameMap* map) {
  Hdf5File file = Hdf5File::open(path);
  const bool grouped = file.kind("/taps") == Hdf5Kind::kGroup;
  const std::string folder = grouped ? "/taps/" : "/";
  Dump dump;
  dump.attributes = file.attributes("/");
  Sources sources;
  for (const std::string& name : file.children(grouped ? "/taps" : "/")) {
    if (grouped || is_tap(file, folder + name)) {
      add_source(sources, file.label(), name, map);
    }
  }
  for (const std::string& tap : ordered_taps(sources, dump)) {
    dump.taps.add(read_tap(file, folder + sources.at(tap), tap));
  }
  return dump;
}

Tap tap_from(const Container& file, const std::string& source, const std::string& tap,
             std::size_t& values_left) {
  const StoredTensor* tensor = file.find(source);
  if (tensor->elements > std::min(kMaxElements, values_left)) {
    throw Error(file.label() + ": " + source + ": got shape " + shape_string(tensor->shape) +
                ", expected at most " + std::to_string(std::min(kMaxElements, values_left)) +
                " values");
  }
  values_left -= tensor->elements;
  return {tap,
          tensor->shape,
          file.read(source),
          !is_floating(tensor->dtype),
          std::string(dtype_name(tensor->dtype)),
          {}};
}

Dump read_safetensors(const std::filesystem::path& path, const NameMap* map) {
  const Container file = Container::open(path);
  Dump dump;
  Sources sources;
  for (const StoredTensor& tensor : file.tensors()) {
    add_source(sources, file.label(), tensor.name, map);
  }
  std::size_t values_left = kMaxValues;
  for (const std::string& tap : ordered_taps(sources, dump)) {
    dump.taps.add(tap_from(file, sources.at(tap), tap, values_left));
  }
  return dump;
}

bool named_like_hdf5(const std::filesystem::path& path) {
  const std::string suffix = path.extension().string();
  return suffix == ".h5" || suffix == ".hdf5";
}

}  // namespace

Dump read_dump(const std::filesystem::path& path, const NameMap* map) {
  const bool hdf5 = Hdf5File::is_hdf5(path) || named_like_hdf5(path);
  refuse_foreign_kind(path);
  if (hdf5) {
    const std::size_t bytes = Hdf5File::size_of(path);
    probe(path.filename().string(), bytes, [&] { read_hdf5(path, map); });
  }
  Dump dump = hdf5 ? read_hdf5(path, map) : read_safetensors(path, map);
  dump.path = path;
  if (dump.taps.empty()) {
    throw Error(path.filename().string() + ": taps: got none, expected at least one");
  }
  return dump;
}

void write_dump(const std::filesystem::path& path, const TapSet& taps,
                const std::map<std::string, std::string>& attributes, DumpPrecision precision) {
  Hdf5Writer file(path);
  file.set_integer("/", "format_version", 1);
  for (const auto& [name, text] : attributes) {
    file.set_text("/", name, text);
  }
  file.make_group("/taps");
  for (const Tap& tap : taps) {
    if (tap.name.empty() || tap.name == "." || tap.name.find('/') != std::string::npos) {
      throw Error(path.filename().string() + ": tap: got the name \"" + tap.name +
                  "\", expected one without a slash");
    }
    const std::string place = "/taps/" + tap.name;
    if (tap.integer) {
      file.write_i32(place, tap.shape, tap.values);
    } else if (precision == DumpPrecision::kF32) {
      file.write_f32(place, tap.shape, tap.values);
    } else {
      file.write_f64(place, tap.shape, tap.values);
    }
  }
  file.finish();
}

}  // namespace assay::conformance
