// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/print_catalogue.h"

#include <ostream>
#include <string>

#include "reference/family/config/sizes.h"

namespace assay::program {
namespace {

// " (E2B, E4B)"
std::string sizes(bool (*belongs)(const ReleasedSize&)) {
  return " (" + size_titles(belongs) + ")";
}

bool is_unified(const ReleasedSize& size) {
  return size.unified;
}

std::string media_text(conformance::Presence presence) {
  switch (presence) {
    case conformance::Presence::kMediaPrompt:
      return "prompts with images or audio";
    case conformance::Presence::kVideo:
      return "videos, at their first frame";
    case conformance::Presence::kVideoBatch:
      return "programs that keep all frames of a video in one tensor";
    case conformance::Presence::kPixels:
      return "images that come as a file or as pixels";
    case conformance::Presence::kPatches:
      return "images";
    case conformance::Presence::kSamples:
      return "audio that comes as a file or as samples";
    case conformance::Presence::kLogMel:
    case conformance::Presence::kMel:
      return "audio, models with an audio encoder" + sizes(has_audio_encoder);
    case conformance::Presence::kVisionEncoder:
      return "images, models with a vision encoder" + sizes(has_vision_encoder);
    case conformance::Presence::kStandardize:
      return "images, models that standardise" +
             sizes([](const ReleasedSize& size) { return size.vision.standardize; });
    case conformance::Presence::kUnifiedVision:
      return "images, models without encoders" + sizes(is_unified);
    case conformance::Presence::kVisionEmbedder:
      return "images";
    case conformance::Presence::kAudioEncoder:
      return "audio, models with an audio encoder" + sizes(has_audio_encoder);
    case conformance::Presence::kUnifiedAudio:
      return "audio, models without encoders" + sizes(is_unified);
    case conformance::Presence::kAudioEmbedder:
      return "audio" +
             sizes([](const ReleasedSize& size) { return size.audio != ReleasedAudio::kNone; });
    default:
      return "";
  }
}

std::string presence_text(conformance::Presence presence) {
  switch (presence) {
    case conformance::Presence::kAlways:
      return "";
    case conformance::Presence::kPle:
      return "models with per-layer embeddings" + sizes(has_ple);
    case conformance::Presence::kMoe:
      return "models with experts" + sizes(has_experts);
    case conformance::Presence::kOwnsKv:
      return "layers with keys and values of their own";
    case conformance::Presence::kCache:
      return "calls with a cache";
    case conformance::Presence::kCentroids:
      return "drafters with ordered embeddings" +
             sizes([](const ReleasedSize& size) { return size.drafter.centroids > 0; });
    case conformance::Presence::kRequest:
      return "requests to tokenizer, template and parser";
    case conformance::Presence::kSpeculative:
      return "speculative decoding";
    default:
      return media_text(presence);
  }
}

void line(std::ostream& out, const char* name, std::string_view text) {
  if (!text.empty() && text != "-") {
    out << "  " << name << text << "\n";
  }
}

}  // namespace

void print_tap(std::ostream& out, const conformance::TapEntry& entry) {
  out << entry.pattern << "  " << entry.shape << (entry.discrete ? "  integers" : "")
      << (entry.mandatory ? "  mandatory" : "") << "\n";
  if (const std::string name = "media.{k}." + std::string(entry.pattern);
      conformance::find_tap(name)) {
    line(out, "in prompts ", name);
  }
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

void print_divergence(std::ostream& out, const conformance::Divergence& divergence) {
  out << divergence.label << "  " << divergence.topic << "\n";
  line(out, "who        ", divergence.who);
  line(out, "changes    ", divergence.consequence);
  line(out, "here       ", divergence.reference);
  line(out, "switch     ", divergence.key);
}

void print_switch(std::ostream& out, const ProfileSwitch& of) {
  out << of.key << "\n";
  for (const ProfileValue& value : of.values()) {
    const std::string who(value.who.empty() ? "the reference profile" : value.who);
    line(out, "value      ", std::string(value.name) + ": " + who);
  }
  line(out, "first at   ", of.first_tap);
}

}  // namespace assay::program
