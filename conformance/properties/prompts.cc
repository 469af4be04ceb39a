// SPDX-License-Identifier: Apache-2.0
#include "conformance/properties/prompts.h"

#include <cmath>
#include <limits>

namespace assay::conformance {
namespace {

MediaItem soft_embeddings(MediaKind kind, std::size_t rows, std::size_t width, double phase) {
  MediaItem item;
  item.kind = kind;
  item.rows = rows;
  item.width = width;
  for (std::size_t i = 0; i < rows * width; ++i) {  // multiples of 1/64: exact everywhere
    item.values.push_back(std::round(100 * std::sin(phase + 1.7 * static_cast<double>(i))) / 64);
  }
  return item;
}

void mark(CaseInput& input, std::size_t first, std::size_t end, std::int32_t type) {
  for (std::size_t t = first; t < end; ++t) {
    input.token_types[t] = type;
  }
}

}  // namespace

CaseInput text_prompt(std::size_t count) {
  CaseInput input;
  for (std::size_t t = 0; t < count; ++t) {
    input.ids.push_back(static_cast<std::int32_t>((2 + 11 * t) % 47));
  }
  return input;
}

CaseInput media_prompt(std::size_t width) {
  CaseInput input = text_prompt(26);
  input.token_types.assign(26, 0);
  mark(input, kImageFirst, kImageEnd, 1);
  mark(input, 13, 15, 1);
  mark(input, 16, 19, 2);
  input.media = {soft_embeddings(MediaKind::kImage, kImageEnd - kImageFirst, width, 0.1),
                 soft_embeddings(MediaKind::kImage, 2, width, 0.2),
                 soft_embeddings(MediaKind::kFrame, 3, width, 0.3)};
  return input;
}

std::vector<double> row_of(const Tap& tap, std::size_t r) {
  const auto width = static_cast<std::ptrdiff_t>(tap.values.size() / tap.shape.at(0));
  const auto first = tap.values.begin() + static_cast<std::ptrdiff_t>(r) * width;
  return {first, first + width};
}

double relative_distance(const std::vector<double>& a, const std::vector<double>& b) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  if (a.size() != b.size()) {
    return kFar;
  }
  double apart = 0;
  double length = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    apart += (a[i] - b[i]) * (a[i] - b[i]);
    length += b[i] * b[i];
  }
  if (apart == 0) {
    return 0;
  }
  const double distance = std::sqrt(apart / length);
  return std::isnan(distance) ? kFar : distance;
}

}  // namespace assay::conformance
