// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/prompt_tokens.h"

#include <algorithm>
#include <string>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr std::int32_t kText = 0;
constexpr std::int32_t kImage = 1;
constexpr std::int32_t kVideo = 2;
constexpr std::int32_t kAudio = 3;

std::int32_t type_of_id(std::int32_t id, const SpecialTokens& special) {
  if (id == special.image) {
    return kImage;
  }
  if (id == special.video) {
    return kVideo;
  }
  return id == special.audio ? kAudio : kText;
}

void check_length(std::size_t got, std::size_t expected, const char* what) {
  if (got != 0 && got != expected) {
    throw Error(std::string(what) + ": got " + std::to_string(got) + " entries, expected " +
                std::to_string(expected) + ", one for each id");
  }
}

// Padding before or after the tokens: a ring counts tokens, a window counts positions, and padding
// in between would part the two.
void check_padding(const std::vector<bool>& valid) {
  const auto first = std::find(valid.begin(), valid.end(), true);
  const auto end = std::find(first, valid.end(), false);
  const auto later = std::find(end, valid.end(), true);
  if (later != valid.end()) {
    throw Error("valid[" + std::to_string(end - valid.begin()) +
                "]: got padding between tokens, expected it before or after them");
  }
}

// The soft rows of all media, one after another, at the placeholder positions.
std::vector<double> soft_rows(const CaseInput& input, const std::vector<std::int32_t>& types,
                              std::size_t width) {
  std::vector<double> values;
  for (const auto& item : input.media) {
    if (item.width != width || item.values.size() != item.rows * item.width) {
      throw Error("soft-token embeddings: got width " + std::to_string(item.width) + ", expected " +
                  std::to_string(width));
    }
    values.insert(values.end(), item.values.begin(), item.values.end());
  }
  const auto placeholders = static_cast<std::size_t>(
      std::count_if(types.begin(), types.end(), [](std::int32_t type) { return type != kText; }));
  if (placeholders * width != values.size()) {
    throw Error("soft-token embeddings: got " + std::to_string(values.size() / width) +
                " rows, expected " + std::to_string(placeholders) +
                ", one for each placeholder token");
  }
  if (placeholders == 0) {
    return {};
  }
  std::vector<double> rows(types.size() * width);
  auto next = values.begin();
  for (std::size_t t = 0; t < types.size(); ++t) {
    if (types[t] != kText) {
      std::copy_n(next, width, rows.begin() + static_cast<std::ptrdiff_t>(t * width));
      next += static_cast<std::ptrdiff_t>(width);
    }
  }
  return rows;
}

}  // namespace

std::vector<std::int32_t> token_types_of(const CaseInput& input, const TextConfig& config) {
  std::vector<std::int32_t> types;
  for (const std::int32_t id : input.ids) {
    types.push_back(type_of_id(id, config.special));
  }
  check_length(input.token_types.size(), types.size(), "token_types");
  for (std::size_t t = 0; t < input.token_types.size(); ++t) {
    types[t] = input.token_types[t];
    if (types[t] < kText || types[t] > kAudio) {
      throw Error("token_types[" + std::to_string(t) + "]: got " + std::to_string(types[t]) +
                  ", expected 0 (text), 1 (image), 2 (video) or 3 (audio)");
    }
  }
  return types;
}

PromptTokens prompt_tokens(const CaseInput& input, const TextConfig& config) {
  const std::size_t count = input.ids.size();
  if (count == 0) {
    throw Error("ids: got none, expected at least one");
  }
  check_length(input.positions.size(), count, "positions");
  check_length(input.valid.size(), count, "valid");

  PromptTokens tokens;
  tokens.ids = input.ids;
  tokens.types = token_types_of(input, config);
  std::int32_t seen = 0;  // max(0, cumsum(valid) - 1)
  for (std::size_t t = 0; t < count; ++t) {
    tokens.valid.push_back(input.valid.empty() || input.valid[t] != 0);
    seen += tokens.valid[t] ? 1 : 0;
    tokens.positions.push_back(input.positions.empty() ? std::max(0, seen - 1)
                                                       : input.positions[t]);
  }
  check_padding(tokens.valid);
  tokens.soft = soft_rows(input, tokens.types, config.hidden_size);
  return tokens;
}

std::vector<std::pair<std::size_t, std::size_t>> calls_of(const std::vector<std::int32_t>& types,
                                                          std::size_t chunk, bool vision_blocks) {
  const std::size_t count = types.size();
  const auto in_block = [&types](std::size_t t) {
    return types[t] == kImage || types[t] == kVideo;
  };
  std::vector<std::pair<std::size_t, std::size_t>> calls;
  for (std::size_t first = 0; first < count;) {
    std::size_t end = chunk == 0 ? count : std::min(count, first + chunk);
    while (vision_blocks && end < count && in_block(end - 1) && in_block(end)) {
      ++end;
    }
    calls.emplace_back(first, end);
    first = end;
  }
  return calls;
}

}  // namespace assay::conformance
