// SPDX-License-Identifier: Apache-2.0
// tokenizer.json of the tokenizers library, as Gemma 4 uses it (spec prompting 1.6).

#include "reference/family/base/error.h"
#include "reference/family/base/json_library.h"
#include "reference/family/base/json_object.h"
#include "reference/family/tokenizer/load_tokenizer.h"

namespace assay {
namespace {

constexpr IntegerRange kIdRange{0, kMaxVocabulary - 1};

// Settings that would cut text in another way than Gemma 4 does.
void check_model(const JsonObject& model) {
  model.expect("type", "BPE");
  if (!model.boolean_or("byte_fallback", false)) {
    model.fail("byte_fallback", "true");
  }
  model.expect("ignore_merges", false);
  model.expect("dropout", nullptr);
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const Json* value = model.find(affix);
    if (value != nullptr && !value->is_null() && *value != "") {
      model.fail(affix, "nothing");
    }
  }
}

void check_text(const JsonObject& step, const char* key, std::string_view expected) {
  if (step.text(key) != expected) {
    step.fail(key, json_quote(expected));
  }
}

void check_replacement(const JsonObject& step, std::string_view from, std::string_view to) {
  check_text(step, "type", "Replace");
  check_text(step.object("pattern"), "String", from);
  check_text(step, "content", to);
}

void check_decoder(const JsonObject& decoder, const std::string& label) {
  check_text(decoder, "type", "Sequence");
  const auto& steps = decoder.array("decoders");
  if (steps.size() != 3) {
    decoder.fail_as("decoders", std::to_string(steps.size()) + " steps",
                    "Replace, ByteFallback, Fuse");
  }
  const auto step = [&](std::size_t i) {
    return JsonObject(&steps[i], label, "decoder.decoders.");
  };
  check_replacement(step(0), kSpaceSymbol, " ");
  check_text(step(1), "type", "ByteFallback");
  check_text(step(2), "type", "Fuse");
}

void check_pipeline(const JsonObject& root, const std::string& label) {
  check_replacement(root.object("normalizer"), " ", kSpaceSymbol);
  if (root.has("pre_tokenizer")) {
    const JsonObject split = root.object("pre_tokenizer");  // no space is left for it to find
    check_text(split, "type", "Split");
    check_text(split.object("pattern"), "String", " ");
  }
  if (root.has("decoder")) {
    check_decoder(root.object("decoder"), label);
  }
}

// Whether text begins with <bos>: the post-processor of base checkpoints.
bool prepends_bos(const JsonObject& root) {
  if (!root.has("post_processor")) {
    return false;
  }
  const JsonObject processor = root.object("post_processor");
  if (processor.text("type") != "TemplateProcessing") {
    processor.fail("type", "\"TemplateProcessing\"");
  }
  const auto& single = processor.array("single");
  return !single.empty() && single.front().contains("SpecialToken");
}

std::vector<std::string> tokens_by_id(const JsonObject& model) {
  const JsonObject vocab = model.object("vocab");
  const std::size_t count = vocab.value().size();
  if (count == 0 || count > kMaxVocabulary) {
    model.fail_as("vocab", std::to_string(count) + " tokens",
                  "1 to " + std::to_string(kMaxVocabulary));
  }
  std::vector<std::string> tokens(count);
  for (const auto& [token, value] : vocab.value().object()) {
    const auto id = value.unsigned_integer();
    if (!id || *id >= count || !tokens[*id].empty()) {
      vocab.fail(token, "an id of its own below " + std::to_string(count));
    }
    tokens[*id] = token;
  }
  return tokens;
}

// A merge is ["left", "right"], in older files "left right".
std::pair<std::string, std::string> halves_of(const JsonObject& model, const Json& merge,
                                              std::size_t rank) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return {merge[0].string(), merge[1].string()};
  }
  if (merge.is_string()) {
    const std::string& text = merge.string();
    if (const std::size_t space = text.find(' '); space != std::string::npos) {
      return {text.substr(0, space), text.substr(space + 1)};
    }
  }
  model.fail_element("merges", rank, "two tokens");
}

Merges merges_of(const JsonObject& model, const TokenIds& ids) {
  const auto& list = model.array("merges");
  if (list.size() > kMaxMerges) {
    model.fail_as("merges", std::to_string(list.size()) + " merges",
                  "at most " + std::to_string(kMaxMerges));
  }
  Merges merges;
  merges.reserve(list.size());
  for (std::size_t rank = 0; rank < list.size(); ++rank) {
    const auto [left, right] = halves_of(model, list[rank], rank);
    merges.emplace_back(ids.find(left), ids.find(right));
    if (merges.back().first == kNoToken || merges.back().second == kNoToken) {
      model.fail_element("merges", rank, "two tokens of the vocabulary");
    }
  }
  return merges;
}

// Added tokens; those that the model's vocabulary lacks are put after it.
void read_added_tokens(const JsonObject& root, const std::string& label, Vocabulary& vocabulary) {
  for (const Json& entry : root.array("added_tokens")) {
    const JsonObject object(&entry, label, "added_tokens.");
    for (const char* flag : {"lstrip", "rstrip", "single_word", "normalized"}) {
      if (object.boolean_or(flag, false)) {
        object.fail(flag, "false");
      }
    }
    AddedToken added{static_cast<std::int32_t>(object.integer("id", kIdRange)),
                     object.text("content")};
    if (added.text.empty()) {
      object.fail("content", "text");
    }
    if (static_cast<std::size_t>(added.id) == vocabulary.tokens.size()) {
      vocabulary.tokens.push_back(added.text);
    }
    vocabulary.added.push_back(std::move(added));
  }
}

}  // namespace

Vocabulary read_tokenizer_json(const std::filesystem::path& path) {
  const std::string label = path.string();
  const Json document = parse_json_file(path, label, kMaxTokenizerBytes);
  const JsonObject root(&document, label, "");
  const JsonObject model = root.object("model");
  check_model(model);
  check_pipeline(root, label);

  Vocabulary vocabulary;
  vocabulary.source = label;
  vocabulary.tokens = tokens_by_id(model);
  vocabulary.merges = merges_of(model, TokenIds(vocabulary.tokens));
  vocabulary.prepends_bos = prepends_bos(root);
  read_added_tokens(root, label, vocabulary);
  return vocabulary;
}

}  // namespace assay
