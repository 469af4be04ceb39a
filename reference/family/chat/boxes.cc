// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/boxes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "reference/family/base/error.h"
#include "reference/family/chat/text_case.h"

namespace assay {
namespace {

constexpr double kGrid = 1000;
constexpr std::string_view kFence = "```";

std::optional<double> number_of(const Json& value) {
  if (!value.is_number()) {
    return std::nullopt;
  }
  double number = 0;
  const std::string& text = value.number();
  const auto state = std::from_chars(text.data(), text.data() + text.size(), number).ec;
  return state == std::errc() ? std::optional(number) : std::nullopt;
}

double pixel(double normal, std::size_t side) {
  const auto size = static_cast<double>(side);
  return std::clamp(normal * size / kGrid, 0.0, size);
}

template <std::size_t N>
std::optional<std::array<double, N>> numbers(const Json* list) {
  if (list == nullptr || !list->is_array() || list->array().size() != N) {
    return std::nullopt;
  }
  std::array<double, N> values{};
  for (std::size_t i = 0; i < N; ++i) {
    const auto value = number_of(list->array()[i]);
    if (!value) {
      return std::nullopt;
    }
    values[i] = *value;
  }
  return values;
}

void add_region(const Json& entry, std::size_t width, std::size_t height, Regions& regions) {
  const Json* text = entry.find("label");
  const std::string label = text != nullptr && text->is_string() ? text->string() : "";
  if (const auto box = numbers<4>(entry.find("box_2d"))) {
    const auto& [top, left, bottom, right] = *box;
    regions.boxes.push_back({label, pixel(top, height), pixel(left, width), pixel(bottom, height),
                             pixel(right, width)});
    return;
  }
  const Json* place = entry.find("point") != nullptr ? entry.find("point") : entry.find("point_2d");
  if (const auto point = numbers<2>(place)) {
    regions.points.push_back({label, pixel((*point)[0], height), pixel((*point)[1], width)});
  }
}

}  // namespace

std::string_view without_fence(std::string_view text) {
  text = trim(text);
  if (text.substr(0, kFence.size()) != kFence) {
    return text;
  }
  const std::size_t line = text.find('\n');
  const std::size_t end = text.rfind(kFence);
  if (line == std::string_view::npos || end <= line || end + kFence.size() != text.size()) {
    return text;
  }
  return trim(text.substr(line + 1, end - line - 1));
}

JsonCheck check_json(std::string_view answer) {
  JsonCheck check;
  try {
    check.value = parse_json(without_fence(answer), "answer", kChatRules);
    check.valid = true;
  } catch (const Error& error) {
    check.error = error.what();
  }
  return check;
}

Regions find_regions(const Json& value, std::size_t width, std::size_t height) {
  Regions regions;
  if (value.is_object()) {
    add_region(value, width, height, regions);
  } else if (value.is_array()) {
    for (const Json& entry : value.array()) {
      add_region(entry, width, height, regions);
    }
  }
  return regions;
}

}  // namespace assay
