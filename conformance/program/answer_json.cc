// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/answer_json.h"

#include "reference/family/chat/boxes.h"

namespace assay::program {
namespace {

Value text_list(const std::vector<std::string>& texts) {
  Value::List list;
  for (const std::string& text : texts) {
    list.emplace_back(text);
  }
  return Value(std::move(list));
}

Value call_fields(const ToolCall& call) {
  Value::Mapping fields = {{"name", Value(call.name)}, {"arguments", call.arguments}};
  if (!call.tool.empty() && call.tool != call.name) {
    add_field(fields, "tool", Value(call.tool));
  }
  if (!call.repairs.empty()) {
    add_field(fields, "repairs", text_list(call.repairs));
  }
  if (!call.error.empty()) {
    add_field(fields, "error", Value(call.error));
    add_field(fields, "raw", Value(call.raw));
  }
  add_field(fields, "complete", Value(call.complete));
  return Value(std::move(fields));
}

Value number(double value) {
  return Value(Value::Number{python_number(value)});
}

}  // namespace

Value::Mapping answer_fields(const Answer& answer) {
  Value::List calls;
  for (const ToolCall& call : answer.calls) {
    calls.push_back(call_fields(call));
  }
  return {{"reasoning", Value(answer.reasoning())},
          {"thoughts", text_list(answer.thoughts)},
          {"content", Value(answer.content)},
          {"tool_calls", Value(std::move(calls))},
          {"thought_open", Value(answer.thought_open)},
          {"stopped", Value(answer.stopped)},
          {"stray_tokens", Value(Value::Number{std::to_string(answer.stray_tokens)})}};
}

Value region_fields(const Answer& answer, std::size_t width, std::size_t height) {
  const JsonCheck check = check_json(answer.content);
  if (!check.valid) {
    return {};
  }
  const Regions regions = find_regions(check.value, width, height);
  Value::List boxes;
  for (const Box& box : regions.boxes) {
    boxes.emplace_back(Value::Mapping{{"label", Value(box.label)},
                                      {"top", number(box.top)},
                                      {"left", number(box.left)},
                                      {"bottom", number(box.bottom)},
                                      {"right", number(box.right)}});
  }
  Value::List points;
  for (const Point& point : regions.points) {
    points.emplace_back(Value::Mapping{
        {"label", Value(point.label)}, {"y", number(point.y)}, {"x", number(point.x)}});
  }
  return Value(
      Value::Mapping{{"boxes", Value(std::move(boxes))}, {"points", Value(std::move(points))}});
}

}  // namespace assay::program
