// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/golden_inputs.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "conformance/records/checked_arrays.h"
#include "conformance/records/golden_media.h"
#include "conformance/records/golden_requests.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr std::int64_t kMaxId = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxDraftSteps = 1024;

std::vector<std::int32_t> read_integers(Hdf5File& file, const std::string& path,
                                        IntegerBounds bounds) {
  const Hdf5Array array =
      read_whole_numbers(file, path, {{0}, "one axis with at least one value"}, bounds);
  std::vector<std::int32_t> integers(array.values.size());
  std::ranges::transform(array.values, integers.begin(),
                         [](double value) { return static_cast<std::int32_t>(value); });
  return integers;
}

std::vector<std::int32_t> read_optional(Hdf5File& file, const std::string& path, std::size_t tokens,
                                        IntegerBounds bounds) {
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

std::int64_t draft_number(const Hdf5File& file, const std::string& name, IntegerBounds bounds) {
  if (!file.number("/inputs/draft", name)) {
    file.fail("/inputs/draft@" + name, "nothing", "an integer");
  }
  return read_count(file, "/inputs/draft", name, bounds);
}

std::optional<DraftRequest> read_draft(Hdf5File& file) {
  if (file.kind("/inputs/draft") == Hdf5Kind::kAbsent) {
    return std::nullopt;
  }
  DraftRequest draft;
  draft.token = static_cast<std::int32_t>(draft_number(file, "token", {0, kMaxId}));
  draft.steps = static_cast<std::size_t>(draft_number(file, "steps", {1, kMaxDraftSteps}));
  const std::string window = file.text("/inputs/draft", "window").value_or("hf");
  if (window != "hf" && window != "std") {
    file.fail("/inputs/draft@window", "\"" + window + "\"", "hf or std");
  }
  draft.standard_window = window == "std";
  return draft;
}

}  // namespace

namespace {

// The bytes of a dataset of small integers.
std::string read_bytes(Hdf5File& file, const std::string& path) {
  const Hdf5Array array = file.read(path);
  if (!array.integer || array.shape.size() != 1) {
    file.fail(path, "another type or shape " + shape_string(array.shape), "bytes [n]");
  }
  std::string bytes;
  bytes.reserve(array.values.size());
  for (const double value : array.values) {
    if (value < 0 || value > 255) {
      file.fail(path, std::to_string(static_cast<std::int64_t>(value)), "bytes, 0 to 255");
    }
    bytes += static_cast<char>(static_cast<unsigned char>(value));
  }
  return bytes;
}

}  // namespace

CaseInput read_inputs(Hdf5File& file) {
  constexpr const char* kRequests = "/inputs/requests";
  if (file.kind(kRequests) == Hdf5Kind::kDataset) {
    CaseInput input;
    input.requests = parse_requests(read_bytes(file, kRequests), file.label() + ": " + kRequests);
    return input;
  }
  if (file.kind("/inputs/ids") != Hdf5Kind::kDataset) {
    file.fail("/inputs/ids", "nothing", "token ids [T]");
  }
  CaseInput input;
  input.ids = read_integers(file, "/inputs/ids", {});
  const std::size_t tokens = input.ids.size();
  input.token_types = read_optional(file, "/inputs/token_types", tokens, {0, 3});
  input.positions = read_optional(file, "/inputs/positions", tokens, {});
  input.valid = read_optional(file, "/inputs/valid", tokens, {0, 1});
  input.media = read_media(file);
  check_placeholders(file, input);
  input.draft = read_draft(file);
  return input;
}

}  // namespace assay::conformance
