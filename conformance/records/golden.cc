// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/golden.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "conformance/catalogue/roles.h"
#include "conformance/records/checked_arrays.h"
#include "conformance/records/golden_inputs.h"
#include "conformance/records/hdf5_file.h"
#include "conformance/records/probe.h"
#include "conformance/records/tap_order.h"
#include "conformance/records/tap_reader.h"
#include "reference/family/base/error.h"
#include "reference/family/base/json_object.h"
#include "reference/family/config/profile.h"

namespace assay::conformance {
namespace {

constexpr double kFormatVersion = 1;

// The axes of a catalogue shape: "[T, Hq, hd]" -> {"T", "Hq", "hd"}.
std::vector<std::string> axes_of(std::string_view shape) {
  std::vector<std::string> axes(1);
  for (const char c : shape.substr(1, shape.size() - 2)) {
    if (c == ',') {
      axes.emplace_back();
    } else if (c != ' ') {
      axes.back() += c;
    }
  }
  return axes;
}

// Whole-sequence taps have T rows, and T keys; a drafter's have rows of its own. A batch axis of 1
// is dropped, and a golden from elsewhere may have merged the axes after the first.
void settle_shape(const Hdf5File& file, Tap& tap, const TapEntry& entry, std::size_t tokens) {
  const std::vector<std::string> axes = axes_of(entry.shape);
  while (tap.shape.size() > axes.size() && tap.shape.front() == 1) {
    tap.shape.erase(tap.shape.begin());
  }
  if (tap.shape.size() > axes.size()) {
    file.fail("/taps/" + tap.name, "shape " + shape_string(tap.shape), std::string(entry.shape));
  }
  if (entry.stage != Stage::kText) {
    return;
  }
  const bool merged = tap.shape.size() < axes.size();
  const std::size_t known = merged ? std::min<std::size_t>(1, tap.shape.size()) : axes.size();
  for (std::size_t i = 0; i < known; ++i) {
    if ((axes[i] == "T" || axes[i] == "S") && tap.shape[i] != tokens) {
      file.fail("/taps/" + tap.name, "shape " + shape_string(tap.shape),
                std::string(entry.shape) + " with " + axes[i] + " = " + std::to_string(tokens) +
                    ", the number of ids");
    }
  }
}

void check_values(const Hdf5File& file, Tap& tap, const TapEntry* entry) {
  if (std::ranges::any_of(tap.values, [](double x) { return std::isnan(x); })) {
    file.fail("/taps/" + tap.name, "a NaN in the truth", "numbers");
  }
  const bool scores = is_scores(tap.name);  // a stranger's may be masked already
  if (!scores && std::ranges::any_of(tap.values, [](double x) { return std::isinf(x); })) {
    file.fail("/taps/" + tap.name, "an infinity in the truth", "finite numbers");
  }
  if (entry == nullptr) {
    return;
  }
  if (tap.integer && !entry->discrete) {
    file.fail("/taps/" + tap.name, "integers", "floating-point numbers");
  }
  if (!tap.integer && entry->discrete) {
    const bool whole = std::ranges::all_of(tap.values, [](double x) { return x == std::floor(x); });
    if (!whole) {
      file.fail("/taps/" + tap.name, "fractions", "integers");
    }
    tap.integer = true;
  }
}

double read_measure(const Hdf5File& file, const std::string& path, const std::string& attribute) {
  const double value = *file.number(path, attribute);
  if (!(value >= 0) || std::isinf(value)) {
    file.fail(path + "@" + attribute, std::to_string(value), "a number of at least 0");
  }
  return value;
}

std::vector<std::string> text_list(const std::string& text, const std::string& label) {
  const Json json = parse_json(text, label);
  std::vector<std::string> list;
  if (!json.is_array()) {
    throw Error(label + ": got " + describe_json(&json) + ", expected a list of names");
  }
  for (const Json& item : json.array()) {
    if (!item.is_string()) {
      throw Error(label + ": got " + describe_json(&item) + ", expected a name");
    }
    list.push_back(item.string());
  }
  return list;
}

TapFloors read_floors(const Hdf5File& file, const std::string& path) {
  TapFloors floors;
  for (const auto& [name, text] : file.attributes(path)) {
    if (name.starts_with("floor_")) {
      floors.floors[name] = read_measure(file, path, name);
    } else if (name == "rms") {
      floors.rms = read_measure(file, path, name);
    } else if (name == "agreement") {
      floors.agreement = read_measure(file, path, name);
    } else if (name == "oracles") {
      floors.oracles = text_list(text, file.label() + ": " + path + "@oracles");
    }
  }
  return floors;
}

void read_taps(Hdf5File& file, Golden& golden) {
  if (file.kind("/taps") != Hdf5Kind::kGroup) {
    file.fail("/taps", "no group", "taps");
  }
  std::vector<std::string> names = file.children("/taps");
  if (names.empty()) {
    file.fail("/taps", "no taps", "at least one");
  }
  sort_by_execution(names);
  for (const std::string& name : names) {
    if (name.starts_with("mtp.") && !golden.input.draft) {
      file.fail("/taps/" + name, "a tap of a draft without /inputs/draft", "the draft's request");
    }
    Tap tap = read_tap(file, "/taps/" + name, name);
    const auto match = find_tap(name);
    if (match) {
      settle_shape(file, tap, *match->entry, golden.input.ids.size());
    }
    check_values(file, tap, match ? match->entry : nullptr);
    TapFloors floors = read_floors(file, "/taps/" + name);
    floors.narrowed = file.kind("/taps/" + name + "/hi") == Hdf5Kind::kDataset &&
                      file.kind("/taps/" + name + "/lo") == Hdf5Kind::kAbsent;
    golden.floors.emplace(name, std::move(floors));
    golden.truth.add(std::move(tap));
  }
}

// A name that will be joined to a path must not lead out of its folder.
std::string folder_name(const Hdf5File& file, const std::string& attribute) {
  std::string name = file.text("/", attribute).value_or("");
  const bool odd = std::ranges::any_of(
      name, [](unsigned char c) { return c == '/' || c == '\\' || c < ' ' || c == 127; });
  if (odd || name == "." || name == "..") {
    file.fail("/@" + attribute, "\"" + name + "\"", "the name of a folder");
  }
  return name;
}

std::map<std::string, std::string> text_table(const std::string& text, const std::string& label) {
  const Json json = parse_json(text, label);
  if (!json.is_object()) {
    throw Error(label + ": got " + describe_json(&json) + ", expected an object of reasons");
  }
  std::map<std::string, std::string> table;
  for (const auto& [key, value] : json.object()) {
    if (!value.is_string()) {
      std::string message = label;
      message.append(": ").append(key).append(": got ").append(describe_json(&value));
      throw Error(message.append(", expected a reason"));
    }
    table.emplace(key, value.string());
  }
  return table;
}

// In the spelling of profile_text().
std::string read_profile(const Hdf5File& file) {
  try {
    return profile_text(parse_profile(file.text("/", "profile").value_or("REF")));
  } catch (const Error& error) {
    throw Error(file.label() + ": /@" + error.what());
  }
}

void read_attributes(const Hdf5File& file, Golden& golden) {
  const auto version = file.number("/", "format_version");
  if (version && *version != kFormatVersion) {
    file.fail("/@format_version", std::to_string(static_cast<long>(std::lround(*version))), "1");
  }
  golden.attributes = file.attributes("/");
  golden.checkpoint = folder_name(file, "checkpoint");
  golden.drafter = folder_name(file, "drafter");
  golden.case_name = file.text("/", "case").value_or(golden.path.stem().string());
  golden.oracle = file.text("/", "oracle").value_or("");
  golden.profile = read_profile(file);
  if (const auto text = file.text("/", "not_provided")) {
    golden.not_provided = text_table(*text, file.label() + ": /@not_provided");
  }
}

// Everything but the taps.
Golden read_question(Hdf5File& file, const std::filesystem::path& path) {
  Golden golden;
  golden.path = path;
  read_attributes(file, golden);
  golden.input = read_inputs(file);
  if (file.kind("/inputs") == Hdf5Kind::kGroup) {
    const auto tokens = static_cast<std::int64_t>(golden.input.ids.size());
    golden.decode_from =
        static_cast<std::size_t>(read_count(file, "/inputs", "decode_from", {0, tokens}));
  }
  return golden;
}

Golden read_here(const std::filesystem::path& path) {
  Hdf5File file = Hdf5File::open(path);
  Golden golden = read_question(file, path);
  read_taps(file, golden);
  return golden;
}

}  // namespace

Golden read_golden(const std::filesystem::path& path) {
  const std::size_t bytes = Hdf5File::size_of(path);
  probe(path.filename().string(), bytes, [&] { read_here(path); });
  return read_here(path);
}

Golden read_case(const std::filesystem::path& path) {
  Hdf5File file = Hdf5File::open(path);
  return read_question(file, path);
}

bool is_golden(const std::filesystem::path& path) {
  if (!Hdf5File::is_hdf5(path)) {
    return false;
  }
  const Hdf5File file = Hdf5File::open(path);
  return file.kind("/inputs/ids") != Hdf5Kind::kAbsent ||
         file.kind("/inputs/requests") != Hdf5Kind::kAbsent;
}

bool is_hdf5_dump(const std::filesystem::path& path) {
  if (!Hdf5File::is_hdf5(path)) {
    return false;
  }
  const Hdf5File file = Hdf5File::open(path);
  return file.kind("/taps") != Hdf5Kind::kAbsent && file.kind("/inputs") == Hdf5Kind::kAbsent;
}

}  // namespace assay::conformance
