// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/golden_inputs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "reference/core/error.h"

namespace assay::conformance {
namespace {

constexpr double kMaxId = std::numeric_limits<std::int32_t>::max();
constexpr double kMaxDraftSteps = 1024;

struct Bounds {
  double least = 0;
  double most = kMaxId;
};

std::vector<std::int32_t> read_integers(Hdf5File& file, const std::string& path, Bounds bounds) {
  const Hdf5Array array = file.read(path);
  if (!array.integer) {
    file.fail(path, "floating-point numbers", "integers");
  }
  if (array.shape.size() != 1) {
    file.fail(path, "shape " + shape_string(array.shape), "one axis");
  }
  std::vector<std::int32_t> integers;
  integers.reserve(array.values.size());
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    const double value = array.values[i];
    if (value < bounds.least || value > bounds.most) {
      file.fail(path + "[" + std::to_string(i) + "]",
                std::to_string(static_cast<std::int64_t>(value)),
                std::to_string(static_cast<std::int64_t>(bounds.least)) + " to " +
                    std::to_string(static_cast<std::int64_t>(bounds.most)));
    }
    integers.push_back(static_cast<std::int32_t>(value));
  }
  return integers;
}

std::vector<std::int32_t> read_optional(Hdf5File& file, const std::string& path, std::size_t tokens,
                                        Bounds bounds) {
  if (file.kind(path) == Hdf5Kind::kAbsent) {
    return {};
  }
  std::vector<std::int32_t> integers = read_integers(file, path, bounds);
  if (integers.size() != tokens) {
    file.fail(path, std::to_string(integers.size()) + " values",
              std::to_string(tokens) + ", one for each id");
  }
  return integers;
}

// The token type of the placeholders that an item fills.
std::int32_t token_type(const Hdf5File& file, const std::string& path, const std::string& kind) {
  constexpr std::array<std::string_view, 4> kKinds = {"", "image", "frame", "audio"};
  const auto found = std::ranges::find(kKinds, kind);
  if (kind.empty() || found == kKinds.end()) {
    file.fail(path + "@kind", "\"" + kind + "\"", "image, frame or audio");
  }
  return static_cast<std::int32_t>(found - kKinds.begin());
}

MediaItem read_media_item(Hdf5File& file, const std::string& path) {
  MediaItem item;
  const auto kind = file.text(path, "kind");
  if (!kind) {
    file.fail(path + "@kind", "nothing", "image, frame or audio");
  }
  item.kind = *kind;
  token_type(file, path, item.kind);
  const std::string soft = path + "/soft";
  if (file.kind(soft) != Hdf5Kind::kDataset) {
    file.fail(soft, "nothing", "soft vectors [n, D]");
  }
  Hdf5Array array = file.read(soft);
  if (array.shape.size() != 2 || array.integer || array.values.empty()) {
    file.fail(
        soft,
        std::string(array.integer ? "integers of " : "") + "shape " + shape_string(array.shape),
        "floating-point numbers [n, D]");
  }
  if (!std::ranges::all_of(array.values, [](double x) { return std::isfinite(x); })) {
    file.fail(soft, "a value that is not finite", "finite values");
  }
  item.rows = array.shape[0];
  item.width = array.shape[1];
  item.values = std::move(array.values);
  return item;
}

std::vector<MediaItem> read_media(Hdf5File& file) {
  const std::string group = "/inputs/media";
  std::vector<MediaItem> media;
  if (file.kind(group) == Hdf5Kind::kAbsent) {
    return media;
  }
  const std::size_t count = file.children(group).size();
  for (std::size_t k = 0; k < count; ++k) {
    const std::string path = group + "/" + std::to_string(k);
    if (file.kind(path) != Hdf5Kind::kGroup) {
      file.fail(path, "no group", "items 0 to " + std::to_string(count - 1));
    }
    media.push_back(read_media_item(file, path));
    if (media.back().width != media.front().width) {
      file.fail(path + "/soft", "width " + std::to_string(media.back().width),
                std::to_string(media.front().width) + " as in item 0");
    }
  }
  return media;
}

// Items fill the placeholders in order: each takes as many neighbours of its type as it has rows.
void check_placeholders(const Hdf5File& file, const CaseInput& input) {
  const std::vector<std::int32_t>& types = input.token_types;
  if (types.empty()) {
    return;
  }
  std::size_t t = 0;
  const auto skip_text = [&] {
    while (t < types.size() && types[t] == 0) {
      ++t;
    }
  };
  for (std::size_t k = 0; k < input.media.size(); ++k) {
    const MediaItem& item = input.media[k];
    const std::string path = "/inputs/media/" + std::to_string(k);
    const std::int32_t type = token_type(file, path, item.kind);
    skip_text();
    std::size_t placeholders = 0;
    while (placeholders < item.rows && t < types.size() && types[t] == type) {
      ++placeholders;
      ++t;
    }
    if (placeholders != item.rows) {
      file.fail(
          path + "/soft", std::to_string(item.rows) + " rows",
          std::to_string(placeholders) + ", the placeholders of kind " + item.kind + " there");
    }
  }
  skip_text();
  if (t != types.size()) {
    file.fail("/inputs/media", std::to_string(input.media.size()) + " items",
              "one more for the placeholder at position " + std::to_string(t));
  }
}

std::size_t draft_number(Hdf5File& file, const std::string& name, Bounds bounds) {
  const std::optional<double> value = file.number("/inputs/draft", name);
  const std::string thing = "/inputs/draft@" + name;
  if (!value) {
    file.fail(thing, "nothing", "an integer");
  }
  if (!(*value >= bounds.least && *value <= bounds.most) || *value != std::floor(*value)) {
    file.fail(thing, std::to_string(*value),
              "an integer from " + std::to_string(static_cast<std::int64_t>(bounds.least)) +
                  " to " + std::to_string(static_cast<std::int64_t>(bounds.most)));
  }
  return static_cast<std::size_t>(*value);
}

std::optional<DraftRequest> read_draft(Hdf5File& file) {
  if (file.kind("/inputs/draft") == Hdf5Kind::kAbsent) {
    return std::nullopt;
  }
  DraftRequest draft;
  draft.token = static_cast<std::int32_t>(draft_number(file, "token", {0, kMaxId}));
  draft.steps = draft_number(file, "steps", {1, kMaxDraftSteps});
  const std::string window = file.text("/inputs/draft", "window").value_or("hf");
  if (window != "hf" && window != "std") {
    file.fail("/inputs/draft@window", "\"" + window + "\"", "hf or std");
  }
  draft.standard_window = window == "std";
  return draft;
}

}  // namespace

CaseInput read_inputs(Hdf5File& file) {
  if (file.kind("/inputs/ids") != Hdf5Kind::kDataset) {
    file.fail("/inputs/ids", "nothing", "token ids [T]");
  }
  CaseInput input;
  input.ids = read_integers(file, "/inputs/ids", {});
  const std::size_t tokens = input.ids.size();
  if (tokens == 0) {
    file.fail("/inputs/ids", "no ids", "at least one");
  }
  input.token_types = read_optional(file, "/inputs/token_types", tokens, {0, 3});
  input.positions = read_optional(file, "/inputs/positions", tokens, {});
  input.valid = read_optional(file, "/inputs/valid", tokens, {0, 1});
  input.media = read_media(file);
  check_placeholders(file, input);
  input.draft = read_draft(file);
  return input;
}

}  // namespace assay::conformance
