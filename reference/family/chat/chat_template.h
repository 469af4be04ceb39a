// SPDX-License-Identifier: Apache-2.0
// The official chat template, third generation ("V3", header of 2026-07-09), rendered natively.
//
//   <bos>[<|turn>system\n[<|think|>\n]TEXT TOOLS<turn|>\n]{<|turn>ROLE\n…<turn|>\n}[<|turn>model\n]
//
// Two variants differ only in the generation prompt: large (12B, 26B-A4B, 31B) closes an empty
// thought when thinking is off. Known oddities of the official file are kept; each is named where
// it is rendered.  Spec: prompting 2.2, 2.3, RP-1 to RP-4, RP-8 to RP-12, RP-20.
#pragma once

#include <string>
#include <string_view>

#include "reference/family/base/json.h"

namespace assay {

enum class TemplateVariant { kSmall, kLarge };  // E2B, E4B; 12B, 26B-A4B, 31B

// `request`: {"messages": […], "tools": […], "add_generation_prompt": true, "enable_thinking":
// false, "preserve_thinking": false}; all but messages may be absent. add_generation_prompt is true
// unless it says otherwise. Throws PromptError naming the message.
std::string render_chat(const Json& request, TemplateVariant variant);

// The text of an assistant message without its thoughts, trimmed: what a history keeps of it.
std::string strip_thinking(std::string_view text);

// Which generation of the official template a Jinja text is: by its own marks, "V1", "V2", "V3",
// or "unknown".
std::string template_generation(std::string_view jinja);

}  // namespace assay
