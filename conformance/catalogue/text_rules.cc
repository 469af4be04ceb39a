// SPDX-License-Identifier: Apache-2.0
// The rules of spec prompting 1 and 2: text to ids and back, and the text of a prompt.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Rule kTokenizer[] = {
    {"RT-1", "identity",
     "262144 tokens and 514906 merges, the same in all five sizes. Base checkpoints differ in one "
     "thing: their post-processor prepends <bos>."},
    {"RT-2", "layout of ids",
     "Special 0 to 4, byte b at 238 + b, pieces from 494 on in merge order, single characters from "
     "236743 on; a run of n LINE FEED is 106 + n, of n TAB 255967 + n, of n > 1 spaces 136 + n. "
     "Only these ranges may be computed, all else is looked up."},
    {"RT-3", "control tokens",
     "Exactly 24 literals, <pad> to <|video|>. <unused0>, [multimodal], <table>, </s> and the "
     "markers of Gemma 3 are ordinary text."},
    {"RT-4", "merge table",
     "A function of the vocabulary: every split of every token into two tokens, sorted, descending "
     "and stable, by (score, characters of the left, characters of the right). Runs of white space "
     "score 0, all others 494 - id."},
    {"RT-5", "digits",
     "No token joins two ASCII digits, so every ASCII digit is a token by itself without any rule "
     "that says so; digits of other scripts may join."},
    {"RT-6", "literals first",
     "Control literals are cut out of the raw text, leftmost first, before anything is replaced, "
     "and whatever stands beside them; the text between two of them is encoded by itself."},
    {"RT-7", "spaces",
     "Every U+0020 becomes U+2581. Nothing else: no prefix space, no normal form, no other case, "
     "nothing collapsed or stripped."},
    {"RT-8", "one word",
     "All text between two control literals is one word. Cutting at runs of LINE FEED is harmless, "
     "because no token joins it with anything else; cutting at spaces is not."},
    {"RT-9", "byte fallback",
     "A symbol for each character; one that the vocabulary lacks becomes the tokens of its UTF-8 "
     "bytes, which never merge. <unk> is never made."},
    {"RT-10", "merging",
     "The adjacent pair of the lowest rank merges, the leftmost among equals, until no pair is in "
     "the table."},
    {"RT-11", "one <bos>",
     "A prompt begins with <bos> once. The chat template writes it and the tokenizer adds none; "
     "for a base model the caller adds it."},
    {"RT-12", "decoding",
     "Token strings are joined, every U+2581 becomes a space, also one that was typed; nothing is "
     "stripped or tidied."},
    {"RT-13", "runs of byte tokens", "A whole run is UTF-8, or every byte of it becomes U+FFFD."},
    {"RT-14", "streams",
     "Parts of a streamed text, joined, equal the text decoded at once; no part ends inside a run "
     "of byte tokens."},
    {"RT-15", "text of strangers",
     "A control literal in what a user or a tool says becomes the control token unless the text is "
     "encoded without step RT-6. Placeholders typed by a user are refused."},
    {"RT-16", "tokenizer in GGUF",
     "tokens and merges are read; scores, token_type and eos_token_id are not to be relied on; "
     "add_bos_token and a template's <bos> must not both act."},
};

constexpr Rule kPrompt[] = {
    {"RP-1", "system block",
     "Behind <bos>, if thinking is on, there are tools, or the first message is system's or "
     "developer's: one system turn with <|think|> and LINE FEED, that message, the declarations, "
     "in this order."},
    {"RP-2", "text of the system",
     "A string is trimmed; of a list each text is trimmed and gets a space behind it. A system "
     "message further down is an ordinary turn."},
    {"RP-3", "turns",
     "<|turn>, role, LINE FEED, text, <turn|>, LINE FEED; assistant is called model. An assistant "
     "message behind another, tool messages not counted, goes on in its turn."},
    {"RP-4", "reasoning",
     "Rendered, untrimmed, behind the last user message only; before it where preserve_thinking is "
     "on and the message calls."},
    {"RP-5", "calls",
     "<|tool_call>call:NAME{key:VALUE,...}<tool_call|>, nothing between two. Arguments are a "
     "mapping, or null for none; a string is an error."},
    {"RP-6", "results",
     "<|tool_response>response:NAME{...}<tool_response|> from tool_responses, else from the tool "
     "messages that follow the calls, in the same turn. The name is that of the call with the id, "
     "else the message's, else unknown."},
    {"RP-7", "body of a result",
     "A mapping gives its pairs, anything else value:VALUE. A string stays a string, even if it is "
     "JSON; media of a result stand behind its block."},
    {"RP-8", "content",
     "Behind calls and results of its message, trimmed. Of an assistant's text, what stands "
     "between <|channel> and <channel|> is dropped."},
    {"RP-9", "parts",
     "Texts, each trimmed, and placeholders follow one another with nothing between."},
    {"RP-10", "end of a message",
     "An unanswered call ends in a bare <|tool_response>; the turn also stays open before another "
     "assistant message, and behind results without content at the end. Else <turn|> and LINE "
     "FEED."},
    {"RP-11", "generation prompt",
     "<|turn>model and LINE FEED, unless the last message ended with calls or results; behind "
     "results with thinking on the thought is opened, and nothing is added otherwise."},
    {"RP-12", "small and large",
     "12B, 26B-A4B and 31B, with thinking off, get a closed empty thought behind the opened turn; "
     "E2B and E4B do not. Nothing else differs."},
    {"RP-13", "strings", "Raw text between two <|\"|>; nothing is escaped."},
    {"RP-14", "other values",
     "Numbers as Python prints them, true, false, null; lists in [ ], mappings in { }, joined by "
     "commas without spaces."},
    {"RP-15", "keys",
     "Sorted without regard to case, equal ones as they came. Bare in calls and results, between "
     "<|\"|> in unknown parts of a declaration."},
    {"RP-16", "declarations",
     "declaration:NAME{description, parameters{properties, required, type}, response}: in this "
     "order, description even if empty, parameters only if not empty."},
    {"RP-17", "properties",
     "Sorted by name; each has description, enum of a string or items of an array, nullable, "
     "properties and required of an object, type, in this order. A property may be called type."},
    {"RP-18", "types", "In upper case; a list of types is printed as Python prints a list."},
    {"RP-19", "what is dropped",
     "default, minimum, format, anyOf, title and enum of anything but a string are left out of a "
     "property without a word."},
    {"RP-20", "generations",
     "V3, published 2026-07-09, is the norm. V1 has no LINE FEED behind <|think|> and puts blank "
     "lines around images; V2 prints None for null."},
    {"RP-21", "expansion",
     "A placeholder becomes begin, as many placeholders as the item has vectors, end; a video is a "
     "stamp and an image span with video placeholders for each frame, one space between two."},
};

}  // namespace

std::span<const Rule> tokenizer_rules() {
  return kTokenizer;
}

std::span<const Rule> prompt_rules() {
  return kPrompt;
}

}  // namespace assay::conformance
