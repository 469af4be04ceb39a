// SPDX-License-Identifier: Apache-2.0
// Spec prompting 1, 2, 4.2: what is asked of the text around the network, request by request.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

using enum Presence;

constexpr TapEntry kTaps[] = {
    {"tok.{k}.ids", "[n]", kMay, kWhole, kRequest, "ids of a text, control literals recognised", "",
     "tokenizer.encode(text, add_special_tokens=False)", "llama_tokenize", "-"},
    {"tok.{k}.text", "[bytes]", kMay, kWhole, kRequest,
     "text of ids as UTF-8 bytes with a 0 behind them, control tokens kept", "",
     "tokenizer.decode(ids)", "llama_detokenize", "-"},
    {"tpl.{k}.text", "[bytes]", kMay, kWhole, kRequest,
     "the rendered conversation as UTF-8 bytes with a 0 behind them", "",
     "processor.apply_chat_template(messages, tokenize=False)", "common_chat_format", "-"},
    {"tpl.{k}.ids", "[n]", kMay, kWhole, kRequest, "ids of the rendered conversation", "",
     "processor.apply_chat_template(messages)", "-", "-"},
    {"parse.{k}.reasoning", "[bytes]", kMay, kWhole, kRequest,
     "the thoughts of a model turn, one after another, with a 0 behind them", "", "-",
     "common_chat_msg.reasoning_content", "-"},
    {"parse.{k}.content", "[bytes]", kMay, kWhole, kRequest,
     "what of a model turn is neither thought nor call, with a 0 behind it", "", "-",
     "common_chat_msg.content", "-"},
    {"parse.{k}.calls", "[bytes]", kMay, kWhole, kRequest,
     "[{\"name\": …, \"arguments\": {…}}, …] as JSON text, with a 0 behind it", "", "-",
     "common_chat_msg.tool_calls", "-"},
    {"stop.{k}.length", "[1]", kMay, kWhole, kRequest,
     "tokens of an answer, up to and with the first that ends it", "", "eos_token_id",
     "llama_vocab_is_eog", "-"},
};

}  // namespace

std::span<const TapEntry> request_taps() {
  return kTaps;
}

}  // namespace assay::conformance
