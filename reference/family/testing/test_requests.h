// SPDX-License-Identifier: Apache-2.0
// For tests: requests as JSON text, and the tables of prompts.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "reference/family/base/error.h"
#include "reference/family/chat/chat_template.h"
#include "reference/family/testing/source_dir.h"

namespace assay {

inline Json value_of(const std::string& json) {
  return parse_json(json, "test", kChatRules);
}

inline std::string small(const std::string& json) {
  return render_chat(value_of(json), TemplateVariant::kSmall);
}

inline std::string large(const std::string& json) {
  return render_chat(value_of(json), TemplateVariant::kLarge);
}

inline std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::vector<Json> lines_of(const std::filesystem::path& path) {
  std::istringstream in(text_of_file(path));
  std::vector<Json> values;
  for (std::string line; std::getline(in, line);) {
    values.push_back(value_of(line));
  }
  return values;
}

// C01 … C26 of spec prompting 2.7: {"id", "note", "input", "small", "large"}.
inline std::vector<Json> renderings() {
  return lines_of(std::filesystem::path(source_dir()) / "golden/prompting/renderings.jsonl");
}

inline const Json& rendering(const std::string& id) {
  static const std::vector<Json> all = renderings();
  for (const Json& one : all) {
    if (one.find("id")->string() == id) {
      return one;
    }
  }
  throw Error("renderings.jsonl: got no " + id);
}

// What our renderer makes of one of them.
inline std::string rendered(const std::string& id, TemplateVariant variant) {
  return render_chat(*rendering(id).find("input"), variant);
}

}  // namespace assay
