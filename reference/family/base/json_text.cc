// SPDX-License-Identifier: Apache-2.0
// How a value is written (declared in json.h).
#include <algorithm>
#include <ostream>

#include "reference/family/base/json.h"
#include "reference/family/base/json_library.h"

namespace assay {
namespace {

class Writer {
 public:
  explicit Writer(JsonLayout layout) : layout_(layout) {}

  std::string take() { return std::move(out_); }

  void write(const Json& value) {
    if (value.is_array()) {
      write_items('[', ']', value.array(), [&](const Json& item) { write(item); });
    } else if (value.is_object()) {
      write_object(value.object());
    } else if (value.is_string()) {
      out_ += json_quote(value.string(), layout_.ascii);
    } else if (value.is_boolean()) {
      out_ += value.boolean() ? "true" : "false";
    } else {
      out_ += value.is_null() ? "null" : value.number();
    }
  }

 private:
  void write_object(const Json::Object& object) {
    std::vector<const Json::Member*> members;
    for (const Json::Member& member : object) {
      members.push_back(&member);
    }
    if (layout_.sorted) {
      std::ranges::sort(members, [](const auto* a, const auto* b) { return a->first < b->first; });
    }
    write_items('{', '}', members, [&](const Json::Member* member) {
      out_ += json_quote(member->first, layout_.ascii);
      out_ += layout_.spaces ? ": " : ":";
      write(member->second);
    });
  }

  template <class Items, class Write>
  void write_items(char open, char close, const Items& items, const Write& write_item) {
    out_ += open;
    ++level_;
    bool first = true;
    for (const auto& item : items) {
      if (!first) {
        out_ += layout_.spaces && layout_.indent == 0 ? ", " : ",";
      }
      break_line();
      write_item(item);
      first = false;
    }
    --level_;
    if (!first) {
      break_line();
    }
    out_ += close;
  }

  void break_line() {
    if (layout_.indent > 0) {
      out_ += '\n';
      out_.append(level_ * static_cast<std::size_t>(layout_.indent), ' ');
    }
  }

  JsonLayout layout_;
  std::size_t level_ = 0;
  std::string out_;
};

}  // namespace

std::string json_text(const Json& value, JsonLayout layout) {
  Writer writer(layout);
  writer.write(value);
  return writer.take();
}

std::ostream& operator<<(std::ostream& out, const Json& value) {
  return out << json_text(value);
}

}  // namespace assay
