// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/json_lines.h"

#include <fstream>
#include <iostream>

#include "reference/family/base/error.h"

namespace assay::program {
namespace {

constexpr std::size_t kMaxLine = 256u << 20;

void answer_line(const std::string& line, const std::string& place,
                 const std::function<Json(const Json&)>& work) {
  if (line.size() > kMaxLine) {
    throw Error(place + ": got " + std::to_string(line.size()) + " bytes, expected at most " +
                std::to_string(kMaxLine));
  }
  const Json object = parse_json(line, place, kChatRules);
  if (!object.is_object()) {
    throw Error(place + ": got " + (object.is_array() ? "a list" : "a plain value") +
                ", expected a json object");
  }
  try {
    std::cout << json_text(work(object)) << "\n";
  } catch (const Error& error) {
    throw Error(place + ": " + error.what());
  }
}

void answer_lines(std::istream& in, const std::string& name,
                  const std::function<Json(const Json&)>& work) {
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) {
      answer_line(line, name + ":" + std::to_string(number), work);
    }
  }
  std::cout.flush();
}

}  // namespace

void for_each_line(const std::string& path, const std::function<Json(const Json&)>& work) {
  if (path.empty() || path == "-") {
    answer_lines(std::cin, "standard input", work);
    return;
  }
  std::ifstream file(path);
  if (!file || file.peek() == std::ifstream::traits_type::eof()) {
    throw Error(path + ": got nothing to read, expected json lines");
  }
  answer_lines(file, path, work);
}

const Json& needed(const Json& object, const char* key) {
  const Json* value = object.find(key);
  if (value == nullptr) {
    throw Error(std::string(key) + ": got nothing, expected it in every line");
  }
  return *value;
}

}  // namespace assay::program
