// SPDX-License-Identifier: Apache-2.0
// The rules of spec prompting 2.8 to 4: what an answer says, how it is chosen and what ends it.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Rule kAnswer[] = {
    {"RN-1", "structure",
     "Thoughts, calls and results are told by control tokens, never by text that looks like them; "
     "a parser sees them, by id or in text that keeps their literals."},
    {"RN-2", "thoughts",
     "What stands between <|channel> and <channel|>, without the name thought and one LINE FEED. "
     "There may be several, and an empty one is empty."},
    {"RN-3", "opened by the prompt",
     "Behind a prompt that ends in an open thought the answer begins inside it, without <|channel> "
     "and without a name."},
    {"RN-4", "never closed",
     "A thought that the answer does not close is reasoning to its end; there is no content."},
    {"RN-5", "calls",
     "Any number, nothing between them. One that the answer breaks off is reported as incomplete "
     "and not to be executed."},
    {"RN-6", "grammar of a call",
     "call:NAME{KEY:value,...}; values nest. White space around punctuation is tolerated."},
    {"RN-7", "strings",
     "All between two <|\"|>, taken literally: commas, braces, quotes and backslashes are data."},
    {"RN-8", "numbers",
     "Integers stay integers; -0, decimals and exponents become doubles. Another bare word is a "
     "matter of repair."},
    {"RN-9", "names",
     "Letters, digits, underscore, dot, colon and minus. A prefix up to the last dot or colon is "
     "dropped where only the rest is declared."},
    {"RN-10", "content",
     "All the rest, untrimmed inside; LINE FEEDs directly behind a closed thought are left out."},
    {"RN-11", "what is no content",
     "Stop tokens, and a stray <tool_call|> or <|tool_response> behind a call. </s> and <unused0> "
     "are content."},
    {"RN-12", "repairs",
     "Only where the strict grammar fails; one alone before several together, each named in the "
     "result. What cannot be read is reported with its text, and never swallows the next call."},
    {"RN-13", "streams",
     "Parts, joined, equal the parse at once, however the tokens are cut; no part holds a piece of "
     "a literal, of the name line or of a character."},
    {"RN-14", "after a call",
     "The turn goes on: response:NAME{...}<tool_response|> is appended behind the <|tool_response> "
     "that ended the answer, for each call in order; behind <eos> or <turn|> that token is dropped "
     "and the whole block appended."},
    {"RN-15", "JSON",
     "An answer is JSON with or without a Markdown fence around it. No control token announces "
     "it."},
    {"RN-16", "boxes and points",
     "box_2d is [y0, x0, y1, x1], point [y, x], each 0 to 1000 of the original image, clamped to "
     "it: 1000 is its height or its width."},
};

constexpr Rule kSampling[] = {
    {"RS-1", "stop set",
     "1, 50 and 106: the union of what generation_config.json, config.json and text_config name, "
     "and of <eos>, <turn|> and <|tool_response>. The token that ends an answer counts to its "
     "length."},
    {"RS-2", "order",
     "Suppress, divide by the temperature, cut to top k, cut to top p, softmax over what is left, "
     "draw. The cap of the logits (R-07) comes before all of it, once."},
    {"RS-3", "suppression",
     "Listed ids get minus infinity; the 12B lists the end tokens of image and audio."},
    {"RS-4", "greedy", "Temperature 0: the largest logit, the lowest id among equals."},
    {"RS-5", "top k", "Everything not below the k-th largest logit; ties at the threshold stay."},
    {"RS-6", "top p",
     "By descending probability the smallest prefix whose sum reaches p. The token that crosses p "
     "is kept, and so is at least one."},
    {"RS-7", "draw",
     "The first candidate, by descending probability and then by id, whose cumulative probability "
     "exceeds u; a seed gives the same tokens everywhere."},
    {"RS-8", "log-probabilities", "Of the uncut distribution at temperature 1."},
    {"RS-9", "defaults", "Instruction-tuned: temperature 1, top k 64, top p 0.95; base: greedy."},
    {"RS-10", "nothing else", "No penalty and no min p unless somebody asks."},
};

}  // namespace

std::span<const Rule> answer_rules() {
  return kAnswer;
}

std::span<const Rule> sampling_rules() {
  return kSampling;
}

}  // namespace assay::conformance
