// SPDX-License-Identifier: Apache-2.0
// Spec prompting 1, 2, 4.2: what is asked of the text around the network, request by request.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

using enum Presence;

constexpr TapEntry kTaps[] = {
    {"tok.{k}.ids", "[n]", kMay, kWhole, kRequest, "ids of a text, control literals recognised",
     "RT-1 RT-2 RT-3 RT-4 RT-5 RT-6 RT-7 RT-8 RT-9 RT-10",
     "tokenizer.encode(text, add_special_tokens=False)", "llama_tokenize", "-"},
    {"tok.{k}.text", "[bytes]", kMay, kWhole, kRequest,
     "text of ids as UTF-8 bytes with a 0 behind them, control tokens kept", "RT-12 RT-13",
     "tokenizer.decode(ids)", "llama_detokenize", "-"},
    {"tpl.{k}.text", "[bytes]", kMay, kWhole, kRequest,
     "the rendered conversation as UTF-8 bytes with a 0 behind them",
     "RP-1 RP-2 RP-3 RP-4 RP-5 RP-6 RP-7 RP-8 RP-9 RP-10 RP-11 RP-12 RP-13 RP-14 RP-15 RP-16 RP-17 "
     "RP-18 RP-19",
     "processor.apply_chat_template(messages, tokenize=False)", "common_chat_format", "-"},
    {"tpl.{k}.ids", "[n]", kMay, kWhole, kRequest, "ids of the rendered conversation", "RT-11 RP-1",
     "processor.apply_chat_template(messages)", "-", "-"},
    {"parse.{k}.reasoning", "[bytes]", kMay, kWhole, kRequest,
     "the thoughts of a model turn, one after another, with a 0 behind them", "RN-1 RN-2 RN-3 RN-4",
     "-", "common_chat_msg.reasoning_content", "-"},
    {"parse.{k}.content", "[bytes]", kMay, kWhole, kRequest,
     "what of a model turn is neither thought nor call, with a 0 behind it",
     "RN-1 RN-3 RN-10 RN-11", "-", "common_chat_msg.content", "-"},
    {"parse.{k}.calls", "[bytes]", kMay, kWhole, kRequest,
     "[{\"name\": …, \"arguments\": {…}}, …] as JSON text, with a 0 behind it",
     "RN-5 RN-6 RN-7 RN-8 RN-9 RN-12", "-", "common_chat_msg.tool_calls", "-"},
    {"stop.{k}.length", "[1]", kMay, kWhole, kRequest,
     "tokens of an answer, up to and with the first that ends it", "RS-1", "eos_token_id",
     "llama_vocab_is_eog", "-"},
};

}  // namespace

std::span<const TapEntry> request_taps() {
  return kTaps;
}

}  // namespace assay::conformance
