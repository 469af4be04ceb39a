// SPDX-License-Identifier: Apache-2.0
// A line of chat cases: a request in JSON, rendered by both variants of the template.
#include "conformance/fuzz/fuzz_target.h"
#include "reference/family/chat/chat_template.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = assay::fuzz::text_of(data, size);
  for (const auto variant : {assay::TemplateVariant::kSmall, assay::TemplateVariant::kLarge}) {
    assay::fuzz::expect_lines(
        [&] { assay::render_chat(assay::parse_json(text, "case", assay::kChatRules), variant); });
  }
  return 0;
}
