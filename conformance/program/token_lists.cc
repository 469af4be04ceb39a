// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/token_lists.h"

#include <charconv>

#include "reference/family/base/error.h"

namespace assay::program {

Json id_list(const std::vector<std::int32_t>& ids) {
  Json::Array list;
  list.reserve(ids.size());
  for (const std::int32_t id : ids) {
    list.emplace_back(Json::Number{std::to_string(id)});
  }
  return Json(std::move(list));
}

std::vector<std::int32_t> ids_of(const Json& list) {
  if (!list.is_array()) {
    throw Error("ids: got another type, expected a list");
  }
  std::vector<std::int32_t> ids;
  for (const Json& item : list.array()) {
    std::int32_t id = -1;
    if (item.is_number()) {
      const std::string& text = item.number();
      const auto [end, state] = std::from_chars(text.data(), text.data() + text.size(), id);
      id = state == std::errc() && end == text.data() + text.size() ? id : -1;
    }
    if (id < 0) {
      throw Error("ids[" + std::to_string(ids.size()) + "]: got " + printable(json_text(item)) +
                  ", expected a token id");
    }
    ids.push_back(id);
  }
  return ids;
}

}  // namespace assay::program
