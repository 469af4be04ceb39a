// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/golden_requests.h"

#include <charconv>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/base/json.h"
#include "reference/family/chat/python_text.h"

namespace assay::conformance {
namespace {

using Ids = std::vector<std::int32_t>;

std::string text_of(const Json& value, const std::string& what) {
  if (!value.is_string()) {
    throw Error(what + ": got another type, expected a string");
  }
  return value.string();
}

Ids ids_of(const Json& list, const std::string& what) {
  if (!list.is_array()) {
    throw Error(what + ": got another type, expected a list of token ids");
  }
  Ids ids;
  for (const Json& item : list.array()) {
    std::int32_t id = -1;
    if (item.is_number()) {
      std::from_chars(item.number().data(), item.number().data() + item.number().size(), id);
    }
    if (id < 0) {
      throw Error(what + "[" + std::to_string(ids.size()) + "]: got no token id, expected one");
    }
    ids.push_back(id);
  }
  return ids;
}

RenderRequest render_of(const Json& chat, const Json* variant, const std::string& what) {
  const std::string name = variant == nullptr ? "" : text_of(*variant, what + ": variant");
  if (name != "small" && name != "large") {
    throw Error(what + ": variant: got '" + printable(name) + "', expected small or large");
  }
  return {json_text(chat), name == "large"};
}

ParseRequest parse_of(const Json& turn, const Json& request, const std::string& what) {
  ParseRequest parse{ids_of(turn, what), false, ""};
  const Json* open = request.find("in_thought");
  parse.in_thought = open != nullptr && truthy(*open);
  if (const Json* tools = request.find("tools")) {
    parse.tools = json_text(*tools);
  }
  return parse;
}

TextRequest request_of(const Json& request, const std::string& what) {
  if (const Json* text = request.find("tokenize")) {
    return TokenizeRequest{text_of(*text, what)};
  }
  if (const Json* ids = request.find("decode")) {
    return DecodeRequest{ids_of(*ids, what)};
  }
  if (const Json* chat = request.find("render")) {
    return render_of(*chat, request.find("variant"), what);
  }
  if (const Json* turn = request.find("parse")) {
    return parse_of(*turn, request, what);
  }
  if (const Json* answer = request.find("stop")) {
    return StopRequest{ids_of(*answer, what)};
  }
  throw Error(what + ": got none of tokenize, decode, render, parse and stop");
}

std::string ids_json(const Ids& ids) {
  std::string list;
  for (const std::int32_t id : ids) {
    list += (list.empty() ? "" : ", ") + std::to_string(id);
  }
  return "[" + list + "]";
}

struct Printer {
  std::string operator()(const TokenizeRequest& request) const {
    return R"({"tokenize": )" + json_text(Json(request.text)) + "}";
  }
  std::string operator()(const DecodeRequest& request) const {
    return R"({"decode": )" + ids_json(request.ids) + "}";
  }
  std::string operator()(const RenderRequest& request) const {
    return R"({"render": )" + request.chat + R"(, "variant": ")" +
           (request.large ? "large" : "small") + "\"}";
  }
  std::string operator()(const ParseRequest& request) const {
    return R"({"parse": )" + ids_json(request.ids) +
           (request.in_thought ? R"(, "in_thought": true)" : "") +
           (request.tools.empty() ? "" : R"(, "tools": )" + request.tools) + "}";
  }
  std::string operator()(const StopRequest& request) const {
    return R"({"stop": )" + ids_json(request.ids) + "}";
  }
};

}  // namespace

std::vector<TextRequest> parse_requests(std::string_view json, const std::string& label) {
  const Json list = parse_json(json, label, kChatRules);
  if (!list.is_array()) {
    throw Error(label + ": got another type, expected a list");
  }
  if (list.array().empty()) {
    throw Error(label + ": got an empty list, expected at least one request");
  }
  std::vector<TextRequest> requests;
  for (const Json& request : list.array()) {
    requests.push_back(request_of(request, label + ": request " + std::to_string(requests.size())));
  }
  return requests;
}

std::string requests_json(const std::vector<TextRequest>& requests) {
  std::string list;
  for (const TextRequest& request : requests) {
    list += (list.empty() ? "" : ", ") + std::visit(Printer{}, request);
  }
  return "[" + list + "]";
}

}  // namespace assay::conformance
