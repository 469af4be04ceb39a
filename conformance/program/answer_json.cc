// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/answer_json.h"

#include "reference/family/base/python_number.h"
#include "reference/family/chat/boxes.h"

namespace assay::program {
namespace {

Json text_list(const std::vector<std::string>& texts) {
  Json::Array list;
  for (const std::string& text : texts) {
    list.emplace_back(text);
  }
  return Json(std::move(list));
}

Json call_fields(const ToolCall& call) {
  Json::Object fields = {{"name", Json(call.name)}, {"arguments", call.arguments}};
  if (!call.tool.empty() && call.tool != call.name) {
    fields.emplace_back("tool", Json(call.tool));
  }
  if (!call.repairs.empty()) {
    fields.emplace_back("repairs", text_list(call.repairs));
  }
  if (!call.error.empty()) {
    fields.emplace_back("error", Json(call.error));
    fields.emplace_back("raw", Json(call.raw));
  }
  fields.emplace_back("complete", Json(call.complete));
  return Json(std::move(fields));
}

Json number(double value) {
  return Json(Json::Number{python_number(value)});
}

}  // namespace

Json::Object answer_fields(const Answer& answer) {
  Json::Array calls;
  for (const ToolCall& call : answer.calls) {
    calls.push_back(call_fields(call));
  }
  return {{"reasoning", Json(answer.reasoning())},
          {"thoughts", text_list(answer.thoughts)},
          {"content", Json(answer.content)},
          {"tool_calls", Json(std::move(calls))},
          {"thought_open", Json(answer.thought_open)},
          {"stopped", Json(answer.stopped)},
          {"stray_tokens", Json(Json::Number{std::to_string(answer.stray_tokens)})}};
}

Json region_fields(const Answer& answer, std::size_t width, std::size_t height) {
  const JsonCheck check = check_json(answer.content);
  if (!check.valid) {
    return {};
  }
  const Regions regions = find_regions(check.value, width, height);
  Json::Array boxes;
  for (const Box& box : regions.boxes) {
    boxes.emplace_back(Json::Object{{"label", Json(box.label)},
                                    {"top", number(box.top)},
                                    {"left", number(box.left)},
                                    {"bottom", number(box.bottom)},
                                    {"right", number(box.right)}});
  }
  Json::Array points;
  for (const Point& point : regions.points) {
    points.emplace_back(
        Json::Object{{"label", Json(point.label)}, {"y", number(point.y)}, {"x", number(point.x)}});
  }
  return Json(Json::Object{{"boxes", Json(std::move(boxes))}, {"points", Json(std::move(points))}});
}

}  // namespace assay::program
