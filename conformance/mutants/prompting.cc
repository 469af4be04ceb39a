// SPDX-License-Identifier: Apache-2.0
// Mistakes around the network: P01 to P49, of the tokenizer, the template and the parser. What they
// answer is text or ids, so a mutant answers the request another way.
// answer is text or ids, so a mutant answers the request another way.
#include <algorithm>
#include <map>
#include <memory>

#include "conformance/mutants/families.h"
#include "conformance/mutants/scene.h"
#include "reference/family/tokenizer/load_tokenizer.h"
#include "reference/family/tokenizer/tokenizer.h"

namespace assay::conformance {
namespace {

const Tokenizer& tokenizer_of(const Scene& s) {
  static std::map<std::string, std::unique_ptr<Tokenizer>> loaded;
  auto& tokenizer = loaded[s.model().path()];
  if (!tokenizer) {
    tokenizer = std::make_unique<Tokenizer>(read_checkpoint_tokenizer(s.model().path()));
  }
  return *tokenizer;
}

template <class Request>
const Request& request_of(const Scene& s) {
  const auto& requests = s.input().requests;
  only(s.step() < requests.size() && std::holds_alternative<Request>(requests[s.step()]));
  return std::get<Request>(requests[s.step()]);
}

void answer(const std::vector<std::int32_t>& ids, Tap& t) {
  t.values.assign(ids.begin(), ids.end());
  t.shape = {ids.size()};
}

std::string text_of(const Tap& t) {
  std::string text;
  for (std::size_t i = 0; i + 1 < t.values.size(); ++i) {  // a 0 ends it
    text += static_cast<char>(static_cast<int>(t.values[i]));
  }
  return text;
}

void answer(const std::string& text, Tap& t) {
  t.values.clear();
  for (const char c : text) {
    t.values.push_back(static_cast<unsigned char>(c));
  }
  t.values.push_back(0);
  t.shape = {t.values.size()};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

using Retext = std::function<std::string(const Scene&, const std::string&)>;

// The text that is cut into tokens is another one.
Formula tokenised(const Retext& change) {
  return [change](Scene& s, Tap& t) {
    answer(tokenizer_of(s).encode(change(s, request_of<TokenizeRequest>(s).text)), t);
  };
}

std::string collapsed(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) {
      out += c;
    }
  }
  while (!out.empty() && out.back() == ' ') {
    out.pop_back();
  }
  return out;
}

// Pieces that begin with a space, each cut by itself.
Formula cut_at_spaces() {
  return [](Scene& s, Tap& t) {
    const std::string& text = request_of<TokenizeRequest>(s).text;
    std::vector<std::int32_t> ids;
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t end = std::min(text.find(' ', from + 1), text.size());
      const auto some = tokenizer_of(s).encode(text.substr(from, end - from));
      ids.insert(ids.end(), some.begin(), some.end());
      from = end;
    }
    answer(ids, t);
  };
}

// The longest token that fits, from the left.
Formula longest_first() {
  return [](Scene& s, Tap& t) {
    const Tokenizer& tokenizer = tokenizer_of(s);
    const std::string text = replaced(request_of<TokenizeRequest>(s).text, " ", "\xE2\x96\x81");
    std::vector<std::int32_t> ids;
    for (std::size_t from = 0; from < text.size();) {
      std::size_t length = std::min<std::size_t>(text.size() - from, 48);
      while (length > 0 && !tokenizer.id_of(text.substr(from, length))) {
        --length;
      }
      only(length > 0);
      ids.push_back(*tokenizer.id_of(text.substr(from, length)));
      from += length;
    }
    answer(ids, t);
  };
}

void add_tokenizer(Mutants& all) {
  const std::string ids = "tok.{k}.ids";
  all.push_back(mutant(
      "P01", ids, tokenised([](const Scene&, const std::string& text) { return " " + text; })));
  all.push_back(mutant("P03", ids, tokenised([](const Scene&, const std::string& text) {
                         return collapsed(text);
                       })));
  all.push_back(mutant("P02", ids, tokenised([](const Scene&, const std::string& text) {
                         return replaced(replaced(text, "\xEF\xBC\xA1", "A"), "e\xCC\x81",
                                         "\xC3\xA9");
                       })));
  all.push_back(mutant("P04", ids, cut_at_spaces(), "text is cut at spaces"));
  all.push_back(mutant("P08", ids, longest_first()));
  all.push_back(mutant("P11", ids, [](Scene& s, Tap& t) {
    for (double& id : t.values) {
      id = tokenizer_of(s).byte_of(static_cast<std::int32_t>(id)) ? 3 : id;
    }
  }));
  all.push_back(mutant(
      "P15", ids,
      [](Scene& s, Tap& t) {
        answer(tokenizer_of(s).encode(request_of<TokenizeRequest>(s).text, ControlText::kPlain), t);
      },
      "control literals are not looked for"));
  all.push_back(mutant("P07", ids, [](Scene& s, Tap& t) {
    const auto& text = request_of<TokenizeRequest>(s).text;
    const auto at = text.find("<table>");
    only(at != std::string::npos);
    auto before = tokenizer_of(s).encode(text.substr(0, at));
    before.push_back(tokenizer_of(s).id_of("<unused0>").value_or(6));
    const auto after = tokenizer_of(s).encode(text.substr(at + 7));
    before.insert(before.end(), after.begin(), after.end());
    answer(before, t);
  }));
}

// What comes back from a rendered conversation, and from ids.
void add_ids_and_text(Mutants& all) {
  all.push_back(mutant(
      "P14", "tpl.{k}.ids",
      [](Scene&, Tap& t) {
        t.values.insert(t.values.begin(), 2);
        t.shape = {t.values.size()};
      },
      "<bos> is added by tokenizer and template"));
  all.push_back(mutant(
      "P14:none", "tpl.{k}.ids",
      [](Scene&, Tap& t) {
        t.values.erase(t.values.begin());
        t.shape = {t.values.size()};
      },
      "<bos> is added by neither tokenizer nor template"));
  all.push_back(mutant("P12", "tok.{k}.text", [](Scene&, Tap& t) {
    std::string out;
    for (const char c : text_of(t)) {  // a byte above 127 becomes a letter of two bytes
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) {
        out += c;
      } else {
        out += static_cast<char>(0xC0 | (byte >> 6));
        out += static_cast<char>(0x80 | (byte & 0x3F));
      }
    }
    answer(out, t);
  }));
}

// The rendered conversation, changed afterwards where the mistake would have written otherwise.
Mutant rendered(const std::string& label, const Retext& change, const std::string& what = "") {
  return mutant(
      label, "tpl.{k}.text",
      [change](Scene& s, Tap& t) {
        const std::string text = text_of(t);
        const std::string other = change(s, text);
        only(other != text);
        answer(other, t);
      },
      what);
}

Retext replacing(const std::string& from, const std::string& to) {
  return [=](const Scene&, const std::string& text) { return replaced(text, from, to); };
}

std::string lower_types(const std::string& text) {
  std::string out = text;
  for (const char* type : {"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"}) {
    std::string small = type;
    std::ranges::transform(small, small.begin(), [](unsigned char c) { return std::tolower(c); });
    out = replaced(out, type, small);
  }
  return out;
}

void add_template(Mutants& all) {
  all.push_back(rendered("P05", replacing("<|turn>", "<start_of_turn>")));
  all.push_back(rendered("P19", replacing("<|turn>system\n", "<|turn>user\n")));
  all.push_back(
      rendered("P20", replacing("<|think|>\n", "<|think|>"), "<|think|> has no LINE FEED"));
  all.push_back(rendered("P21", [](const Scene&, const std::string& text) {
    return text.ends_with("<|turn>model\n") ? text + "<|channel>thought\n<channel|>" : text;
  }));
  all.push_back(rendered("P22", [](const Scene&, const std::string& text) {
    const std::string empty = "<|channel>thought\n<channel|>";
    return text.ends_with(empty) ? text.substr(0, text.size() - empty.size()) : text;
  }));
  all.push_back(rendered("P26", replacing("<turn|>\n<|turn>", "<turn|><|turn>")));
  all.push_back(
      rendered("P32", [](const Scene&, const std::string& text) { return lower_types(text); }));
  all.push_back(rendered("P35", replacing("{", "{<|\"|>"), "keys stand between delimiters"));
  all.push_back(rendered("P36", replacing("null", "None")));
  all.push_back(rendered("P34", replacing("\\", "\\\\"), "backslashes are escaped"));
  all.push_back(rendered("P40", [](const Scene&, const std::string& text) {
    const std::string end = "<|tool_response>";
    return text.ends_with(end) ? text.substr(0, text.size() - end.size()) : text;
  }));
  all.push_back(rendered("P41", [](const Scene&, const std::string& text) {
    return text.ends_with("<tool_response|>") ? text + "<turn|>\n<|turn>model\n" : text;
  }));
  all.push_back(
      rendered("P38", replacing("<|tool_response>", "<turn|>\n<|turn>tool\n<|tool_response>")));
  all.push_back(rendered("P39", replacing("<tool_call|>", "<tool_call|><turn|>\n<|turn>model\n"),
                         "a call ends its turn"));
  all.push_back(rendered("P28", replacing("<|image|>", "\n<|image|>\n"),
                         "a LINE FEED stands between texts and media"));
  all.push_back(rendered("P27", replacing("<turn|>", " <turn|>"), "content is not trimmed"));
  all.push_back(rendered("P29", [](const Scene&, const std::string& text) {
    return replaced(replaced(text, "<|\"|>", "\""), "declaration:", "{\"name\": ");
  }));
}

void add_parser(Mutants& all) {
  all.push_back(mutant("P42", "parse.{k}.calls", [](Scene&, Tap& t) {
    only(text_of(t) != "[]");
    answer("[]", t);
  }));
  all.push_back(mutant("P45", "parse.{k}.calls", [](Scene&, Tap& t) {
    const std::string text = text_of(t);
    only(text.find("\\\\") != std::string::npos);
    answer(replaced(text, "\\\\", "\\"), t);
  }));
  all.push_back(mutant("P43", "parse.{k}.calls", [](Scene&, Tap& t) {
    const std::string text = text_of(t);
    const auto comma = text.find(", ", text.find("\"arguments\""));
    only(comma != std::string::npos);
    answer(text.substr(0, comma) + "}}]", t);
  }));
  all.push_back(mutant("P44", "parse.{k}.calls", [](Scene&, Tap& t) {
    const std::string text = text_of(t);
    const auto list = text.rfind('[');
    only(list != 0 && list != std::string::npos);
    answer(text.substr(0, list) + "\"" + text.substr(list), t);
  }));
  all.push_back(mutant("P49", "parse.{k}.calls", [](Scene&, Tap& t) {
    const std::string text = text_of(t);
    const auto name = text.find("\"name\": \"");
    only(name != std::string::npos);
    const auto dash = text.find_first_of("-.", name);
    only(dash < text.find('"', name + 9));
    answer("[]", t);
  }));
  all.push_back(mutant(
      "P46", "parse.{k}.reasoning",
      [](Scene&, Tap& t) {
        only(t.values.size() > 1);
        answer("thought\n" + text_of(t), t);
      },
      "the name thought stays in the reasoning"));
  for (const char* label : {"P47", "P48"}) {
    Mutant one{label, "", {}, "parse.{k}.reasoning"};
    const bool opened = std::string(label) == "P47";
    one.rewrites.push_back({"parse.{k}.reasoning", [opened](Scene& s, Tap& t) {
                              only(request_of<ParseRequest>(s).in_thought == opened &&
                                   t.values.size() > 1);
                              answer("", t);
                            }});
    all.push_back(std::move(one));
  }
}

}  // namespace

Mutants prompting_mutants() {
  Mutants all;
  add_tokenizer(all);
  add_ids_and_text(all);
  add_template(all);
  add_parser(all);
  return all;
}

}  // namespace assay::conformance
