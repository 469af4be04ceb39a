// SPDX-License-Identifier: Apache-2.0
// assay tokenize: text to ids or back, a JSON object a line.

#include "conformance/program/json_lines.h"
#include "conformance/program/text_commands.h"
#include "conformance/program/token_lists.h"
#include "conformance/program/vocabularies.h"
#include "reference/family/base/error.h"

namespace assay::program {
namespace {

Value encoded(const Tokenizer& tokenizer, const Value& line, ControlText control) {
  const Value& text = needed(line, "text");
  if (!text.is_string()) {
    throw Error("text: got another type, expected a string");
  }
  return Value(Value::Mapping{{"id", needed(line, "id")},
                              {"ids", id_list(tokenizer.encode(text.string(), control))}});
}

Value decoded(const Tokenizer& tokenizer, const Value& line, bool skip_control) {
  const auto ids = ids_of(needed(line, "ids"));
  return Value(Value::Mapping{{"id", needed(line, "id")},
                              {"text", Value(tokenizer.decode(ids, skip_control))}});
}

}  // namespace

int tokenize(const TokenizeOptions& options) {
  const Tokenizer tokenizer = open_tokenizer(options.checkpoint, options.vocab);
  const ControlText control = options.plain ? ControlText::kPlain : ControlText::kRecognise;
  for_each_line(options.file, [&](const Value& line) {
    return options.decode ? decoded(tokenizer, line, options.skip_control)
                          : encoded(tokenizer, line, control);
  });
  return 0;
}

}  // namespace assay::program
