// SPDX-License-Identifier: Apache-2.0
// assay tokenize: text to ids or back, a JSON object a line.

#include "conformance/program/json_lines.h"
#include "conformance/program/text_commands.h"
#include "conformance/program/token_lists.h"
#include "conformance/program/vocabularies.h"
#include "reference/family/base/error.h"

namespace assay::program {
namespace {

Json encoded(const Tokenizer& tokenizer, const Json& line, ControlText control) {
  const Json& text = needed(line, "text");
  if (!text.is_string()) {
    throw Error("text: got another type, expected a string");
  }
  return Json(Json::Object{{"id", needed(line, "id")},
                           {"ids", id_list(tokenizer.encode(text.string(), control))}});
}

Json decoded(const Tokenizer& tokenizer, const Json& line, bool skip_control) {
  const auto ids = ids_of(needed(line, "ids"));
  return Json(Json::Object{{"id", needed(line, "id")},
                           {"text", Json(tokenizer.decode(ids, skip_control))}});
}

}  // namespace

int tokenize(const TokenizeOptions& options) {
  const Tokenizer tokenizer = open_tokenizer(options.checkpoint, options.vocab);
  const ControlText control = options.plain ? ControlText::kPlain : ControlText::kRecognise;
  for_each_line(options.file, [&](const Json& line) {
    return options.decode ? decoded(tokenizer, line, options.skip_control)
                          : encoded(tokenizer, line, control);
  });
  return 0;
}

}  // namespace assay::program
