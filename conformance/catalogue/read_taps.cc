// SPDX-License-Identifier: Apache-2.0
// The words of one row of data/taps.txt.
#include <algorithm>
#include <array>
#include <utility>

#include "conformance/catalogue/tap_table.h"

namespace assay::conformance {
namespace {

using Kind = TapRole::Kind;

constexpr std::pair<std::string_view, Presence> kPresences[] = {
    {"ple", Presence::kPle},
    {"moe", Presence::kMoe},
    {"own_kv", Presence::kOwnsKv},
    {"cache", Presence::kCache},
    {"centroids", Presence::kCentroids},
    {"speculative", Presence::kSpeculative},
    {"media_prompt", Presence::kMediaPrompt},
    {"video", Presence::kVideo},
    {"video_batch", Presence::kVideoBatch},
    {"pixels", Presence::kPixels},
    {"patches", Presence::kPatches},
    {"samples", Presence::kSamples},
    {"log_mel", Presence::kLogMel},
    {"mel", Presence::kMel},
    {"vision_encoder", Presence::kVisionEncoder},
    {"standardize", Presence::kStandardize},
    {"unified_vision", Presence::kUnifiedVision},
    {"vision_embedder", Presence::kVisionEmbedder},
    {"audio_encoder", Presence::kAudioEncoder},
    {"unified_audio", Presence::kUnifiedAudio},
    {"audio_embedder", Presence::kAudioEmbedder},
    {"request", Presence::kRequest},
};

constexpr std::pair<std::string_view, Kind> kKinds[] = {
    {"real", Kind::kReal},
    {"integer", Kind::kInteger},
    {"byte", Kind::kByte},
    {"size", Kind::kSize},
    {"mask", Kind::kMask},
    {"angle", Kind::kAngle},
    {"probabilities", Kind::kProbabilities},
};

constexpr std::pair<std::string_view, bool TapRole::*> kFlags[] = {
    {"layer input", &TapRole::layer_input},
    {"logits", &TapRole::logits},
    {"output", &TapRole::output},
    {"soft-token embeddings", &TapRole::soft_embeddings},
};

constexpr auto kDiscrete =
    std::to_array({Kind::kInteger, Kind::kByte, Kind::kSize, Kind::kMask, Kind::kChoice});

template <class Value, std::size_t n>
const Value* find_word(const std::pair<std::string_view, Value> (&words)[n],
                       std::string_view word) {
  const auto found = std::ranges::find(words, word, &std::pair<std::string_view, Value>::first);
  return found == std::end(words) ? nullptr : &found->second;
}

// The name of a tap after `lead`; or "" for another phrase.
std::string_view name_after(std::string_view phrase, std::string_view lead) {
  if (!phrase.starts_with(lead)) {
    return {};
  }
  const std::string_view name = phrase.substr(lead.size());
  return name.find(' ') == std::string_view::npos ? name : std::string_view();
}

// Phrases that name another tap.
bool read_reference(std::string_view phrase, TapRole& role) {
  if (const auto name = name_after(phrase, "scores of "); !name.empty()) {
    role.kind = Kind::kScores;
    role.from = name;
    return true;
  }
  for (const bool last : {false, true}) {
    const auto name = name_after(phrase, last ? "last choice from " : "choice from ");
    if (!name.empty()) {
      role.kind = Kind::kChoice;
      role.from = name;
      role.last_choice = last;
      return true;
    }
  }
  for (const bool half : {false, true}) {
    const auto name =
        name_after(phrase, half ? "product with half of input " : "product with input ");
    if (!name.empty()) {
      role.input = name;
      role.half_input = half;
      return true;
    }
  }
  role.slots = name_after(phrase, "slots of ");
  return !role.slots.empty();
}

bool read_phrase(std::string_view phrase, TapRole& role) {
  if (const Kind* kind = find_word(kKinds, phrase)) {
    role.kind = *kind;
    return true;
  }
  if (bool TapRole::*const* flag = find_word(kFlags, phrase)) {
    role.** flag = true;
    return true;
  }
  return read_reference(phrase, role);
}

TapRole read_role(const Paragraph& paragraph) {
  TapRole role;
  const std::string_view text = paragraph.at("role");
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(", ", begin), text.size());
    if (!read_phrase(text.substr(begin, end - begin), role)) {
      paragraph.fail("role", "phrases that the head of the file lists");
    }
    begin = end + 2;
  }
  role.until = paragraph.get("until");
  role.nearest = paragraph.get("nearest");
  if (!role.nearest.empty() && role.kind != Kind::kChoice) {
    paragraph.fail("nearest", "it of choices, and of nothing else");
  }
  if (role.until.empty() == (role.kind == Kind::kChoice)) {
    paragraph.fail("until", "it of choices, and of nothing else");
  }
  return role;
}

Presence read_presence(const Paragraph& paragraph) {
  const std::string_view when = paragraph.get("when");
  if (when.empty()) {
    return Presence::kAlways;
  }
  const Presence* presence = find_word(kPresences, when);
  if (presence == nullptr) {
    std::string known;
    for (const auto& [word, value] : kPresences) {
      known.append(known.empty() ? "" : ", ").append(word);
    }
    paragraph.fail("when", "one of " + known);
  }
  return *presence;
}

}  // namespace

TapEntry read_tap(const Paragraph& paragraph) {
  paragraph.expect_keys({"tap", "shape", "role", "until", "nearest", "when", "mandatory", "golden",
                         "absent", "formula", "page", "rules", "hf", "llama.cpp", "jax"});
  TapEntry entry;
  entry.pattern = paragraph.at("tap");
  entry.shape = paragraph.at("shape");
  if (!entry.shape.starts_with('[') || !entry.shape.ends_with(']')) {
    paragraph.fail("shape", "axes in brackets");
  }
  if (const std::string_view must = paragraph.get("mandatory"); !must.empty() && must != "yes") {
    paragraph.fail("mandatory", "yes, or no such line");
  }
  entry.mandatory = !paragraph.get("mandatory").empty();
  entry.role = read_role(paragraph);
  entry.discrete = std::ranges::find(kDiscrete, entry.role.kind) != kDiscrete.end();
  entry.presence = read_presence(paragraph);
  entry.formula = paragraph.at("formula");
  entry.rules = paragraph.get("rules");
  entry.hf = paragraph.get("hf", "-");
  entry.llama_cpp = paragraph.get("llama.cpp", "-");
  entry.jax = paragraph.get("jax", "-");
  return entry;
}

}  // namespace assay::conformance
