// SPDX-License-Identifier: Apache-2.0
// Boxes and points in an answer, and whether it is JSON at all.
//
//   [{"box_2d": [y0, x0, y1, x1], "label": "cat"}]     {"point": [y, x], "label": "eye"}
//   pixel: x = x_norm * width / 1000, y = y_norm * height / 1000, clamped to the image
//
// Coordinates are 0 … 1000 of the full original image, y first.  Spec: prompting 3.2, 3.3,
// RN-15, RN-16.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/base/json.h"

namespace assay {

struct Box {
  std::string label;
  double top = 0;  // pixels
  double left = 0;
  double bottom = 0;
  double right = 0;
};

struct Point {
  std::string label;
  double y = 0;  // pixels
  double x = 0;
};

struct Regions {
  std::vector<Box> boxes;
  std::vector<Point> points;
};

// The text inside a Markdown fence (three back quotes, perhaps "json"), else the text, trimmed.
std::string_view without_fence(std::string_view text);

struct JsonCheck {
  bool valid = false;
  std::string error;  // where and why not
  Json value;
};

// Whether an answer is one JSON value, a fence around it being allowed.
JsonCheck check_json(std::string_view answer);

// Entries that are neither box nor point are passed over.
Regions find_regions(const Json& value, std::size_t width, std::size_t height);

}  // namespace assay
