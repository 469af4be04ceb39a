// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/print_catalogue.h"

#include <ostream>

namespace assay::program {
namespace {

const char* presence_text(conformance::Presence presence) {
  switch (presence) {
    case conformance::Presence::kAlways:
      return "";
    case conformance::Presence::kPle:
      return "models with per-layer embeddings (E2B, E4B)";
    case conformance::Presence::kMoe:
      return "models with experts (26B-A4B)";
    case conformance::Presence::kOwnsKv:
      return "layers with keys and values of their own";
    case conformance::Presence::kCache:
      return "calls with a cache";
    case conformance::Presence::kCentroids:
      return "drafters with ordered embeddings (E2B, E4B)";
    case conformance::Presence::kSpeculative:
      return "speculative decoding";
  }
  return "";
}

void line(std::ostream& out, const char* name, std::string_view text) {
  if (!text.empty() && text != "-") {
    out << "  " << name << text << "\n";
  }
}

}  // namespace

void print_tap(std::ostream& out, const conformance::TapEntry& entry) {
  out << entry.pattern << "  " << entry.shape << (entry.discrete ? "  whole numbers" : "")
      << (entry.mandatory ? "  mandatory" : "") << "\n";
  line(out, "formula    ", entry.formula);
  line(out, "rules      ", entry.rules);
  line(out, "only       ", presence_text(entry.presence));
  line(out, "hf         ", entry.hf);
  line(out, "llama.cpp  ", entry.llama_cpp);
  line(out, "jax        ", entry.jax);
}

void print_rule(std::ostream& out, const conformance::Rule& rule) {
  out << rule.label << "  " << rule.topic << "\n  " << rule.statement << "\n";
}

void print_mistake(std::ostream& out, const conformance::Mistake& mistake) {
  out << mistake.label << "  " << mistake.mistake << "\n";
  line(out, "shows at   ", mistake.tap);
  line(out, "note       ", mistake.note);
}

}  // namespace assay::program
