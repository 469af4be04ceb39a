// SPDX-License-Identifier: Apache-2.0
// Turns of a model as text, strictly and with repairs, with tools and without; the first byte
// chooses. The events add up to the answer, and its arguments are JSON.
#include "conformance/fuzz/fuzz_target.h"
#include "reference/family/chat/answer_reader.h"
#include "reference/family/testing/test_streams.h"

namespace {

const assay::Json& tools() {
  static const assay::Json declared = assay::parse_json(
      R"([{"function": {"name": "note", "parameters": {"properties": {"text": {"type": "string"},
           "n": {"type": "integer"}, "a:b": {}, "list": {"items": {"type": "string"}},
           "o": {"anyOf": [{"properties": {"z": {"enum": ["007"]}}}, {"type": "null"}]}}}}},
          {"function": {"name": "my {tool}"}}])",
      "tools", assay::kChatRules);
  return declared;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  assay::AnswerOptions options;
  options.in_thought = (data[0] & 1) != 0;
  options.lenient = (data[0] & 2) == 0;
  options.tools = (data[0] & 4) == 0 ? &tools() : nullptr;
  const auto text = assay::fuzz::text_of(data + 1, size - 1);
  assay::fuzz::expect_lines([&] {
    assay::AnswerTextReader reader(options);
    assay::JoinedEvents joined;
    const std::size_t half = text.size() / 2;
    joined.add(reader.push(text.substr(0, half)));
    joined.add(reader.push(text.substr(half)));
    joined.add(reader.finish());
    if (!joined.difference(reader.answer()).empty()) {
      std::abort();
    }
  });
  return 0;
}
