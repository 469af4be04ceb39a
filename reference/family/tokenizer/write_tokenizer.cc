// SPDX-License-Identifier: Apache-2.0
#include "reference/family/tokenizer/write_tokenizer.h"

#include <algorithm>

#include "reference/family/base/json.h"
#include "reference/family/base/json_library.h"

namespace assay {
namespace {

constexpr std::pair<const char*, const char*> kNamed[] = {{"bos_token", "<bos>"},
                                                          {"eos_token", "<eos>"},
                                                          {"unk_token", "<unk>"},
                                                          {"pad_token", "<pad>"},
                                                          {"mask_token", "<mask>"}};

std::string in_quotes(std::string_view text) {
  return json_quote(text, false);
}

bool has_token(const Vocabulary& vocabulary, std::string_view token) {
  return std::find(vocabulary.tokens.begin(), vocabulary.tokens.end(), token) !=
         vocabulary.tokens.end();
}

Json added_tokens(const Vocabulary& vocabulary) {
  Json::Array rows;
  for (const AddedToken& token : vocabulary.added) {
    rows.push_back(Json::Object{{"id", token.id},
                                {"content", token.text},
                                {"single_word", false},
                                {"lstrip", false},
                                {"rstrip", false},
                                {"normalized", false},
                                {"special", true}});
  }
  return rows;
}

Json sequence(const char* id, int type) {
  return Json::Object{{"Sequence", Json::Object{{"id", id}, {"type_id", type}}}};
}

Json special(int type) {
  return Json::Object{{"SpecialToken", Json::Object{{"id", "<bos>"}, {"type_id", type}}}};
}

Json post_processor(const Vocabulary& vocabulary) {
  Json single = Json::Array{sequence("A", 0)};
  Json pair = Json::Array{sequence("A", 0), sequence("B", 1)};
  Json specials = Json::Object{};
  const auto bos = std::find(vocabulary.tokens.begin(), vocabulary.tokens.end(), "<bos>");
  if (vocabulary.prepends_bos && bos != vocabulary.tokens.end()) {
    single = Json::Array{special(0), sequence("A", 0)};
    pair = Json::Array{special(0), sequence("A", 0), special(1), sequence("B", 1)};
    specials["<bos>"] = Json::Object{{"id", "<bos>"},
                                     {"ids", Json::Array{bos - vocabulary.tokens.begin()}},
                                     {"tokens", Json::Array{"<bos>"}}};
  }
  return Json::Object{{"type", "TemplateProcessing"},
                      {"single", single},
                      {"pair", pair},
                      {"special_tokens", specials}};
}

Json replacement(std::string_view from, std::string_view to) {
  return Json::Object{
      {"type", "Replace"}, {"pattern", Json::Object{{"String", from}}}, {"content", to}};
}

// All but the model.
Json pipeline(const Vocabulary& vocabulary) {
  Json root = Json::Object{{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
  root["added_tokens"] = added_tokens(vocabulary);
  root["normalizer"] = replacement(" ", kSpaceSymbol);
  root["pre_tokenizer"] = Json::Object{{"type", "Split"},
                                       {"pattern", Json::Object{{"String", " "}}},
                                       {"behavior", "MergedWithPrevious"},
                                       {"invert", false}};
  root["post_processor"] = post_processor(vocabulary);
  root["decoder"] = Json::Object{{"type", "Sequence"},
                                 {"decoders", Json::Array{replacement(kSpaceSymbol, " "),
                                                          Json::Object{{"type", "ByteFallback"}},
                                                          Json::Object{{"type", "Fuse"}}}}};
  return root;
}

// A quarter of a million tokens and half a million merges: text, without a value for each.
std::string model_text(const Vocabulary& vocabulary) {
  std::string text =
      "{\"type\": \"BPE\", \"dropout\": null, \"unk_token\": " +
      (has_token(vocabulary, "<unk>") ? in_quotes("<unk>") : std::string("null")) +
      ", \"continuing_subword_prefix\": null, \"end_of_word_suffix\": null, \"fuse_unk\": true, "
      "\"byte_fallback\": true, \"ignore_merges\": false,\n\"vocab\": {";
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    text += (id == 0 ? "\n" : ",\n") + in_quotes(vocabulary.tokens[id]) + ": " + std::to_string(id);
  }
  text += "\n},\n\"merges\": [";
  bool first = true;
  for (const auto& [left, right] : vocabulary.merges) {
    text += std::string(first ? "\n" : ",\n") + "[" +
            in_quotes(vocabulary.tokens[static_cast<std::size_t>(left)]) + ", " +
            in_quotes(vocabulary.tokens[static_cast<std::size_t>(right)]) + "]";
    first = false;
  }
  return text + "\n]}";
}

}  // namespace

std::string tokenizer_json_text(const Vocabulary& vocabulary) {
  std::string text = json_text(pipeline(vocabulary), {.ascii = false});
  text.pop_back();  // the closing brace
  return text + ",\n\"model\": " + model_text(vocabulary) + "}\n";
}

std::string tokenizer_config_text(const Vocabulary& vocabulary) {
  Json root = Json::Object{{"tokenizer_class", "PreTrainedTokenizerFast"}};
  for (const auto& [key, token] : kNamed) {
    if (has_token(vocabulary, token)) {
      root[key] = token;
    }
  }
  return json_text(root, {.indent = 2}) + "\n";
}

}  // namespace assay
