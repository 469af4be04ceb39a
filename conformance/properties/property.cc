// SPDX-License-Identifier: Apache-2.0
#include "conformance/properties/property.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "conformance/properties/property_tables.h"

namespace assay::conformance {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestCopy = std::uintmax_t{256} << 20;  // bytes

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

bool can_be_copied(const std::string& checkpoint) {
  std::error_code failed;
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(checkpoint, failed)) {
    if (entry.path().extension() == ".safetensors") {
      bytes += entry.file_size(failed);
    }
  }
  return !failed && bytes > 0 && bytes <= kLargestCopy;
}

bool has_raw_keys_as_values(const TextConfig& config) {
  for (const LayerConfig& layer : config.layers) {
    if (layer.k_eq_v) {
      return true;
    }
  }
  return false;
}

// What the subject lacks; empty: nothing.
std::string unmet(const Needs& needs, const Subject& subject) {
  if (needs.chunks && !subject.can.chunked_prefill) {
    return "needs an implementation that takes a prompt in chunks";
  }
  if (needs.media && !subject.takes_media) {
    return "needs an implementation that takes soft-token embeddings";
  }
  if (needs.experts && !subject.config.text.moe) {
    return "needs a model with experts";
  }
  if (needs.raw_keys_as_values && !has_raw_keys_as_values(subject.config.text)) {
    return "needs a model with layers whose values are the raw keys";
  }
  if (needs.encoders && !subject.config.vision && !subject.config.unified_vision) {
    return "needs a checkpoint with encoders";
  }
  if (needs.copies && !can_be_copied(subject.checkpoint)) {
    return "needs safetensors files of at most " + std::to_string(kLargestCopy >> 20) + " MiB";
  }
  return "";
}

// What the class cannot tell here; empty: nothing.
std::string untold(const Findings& findings) {
  if (findings.left() == 0) {
    return "";
  }
  const bool one = findings.left() == 1;
  return std::to_string(findings.left()) + (one ? " comparison tells" : " comparisons tell") +
         " nothing in this class, whose rounding could hide it, the first " + findings.first_left();
}

PropertyResult result_of(const Findings& findings) {
  PropertyResult result;
  result.checks = findings.checks();
  result.failed = findings.failed();
  result.failures = findings.first();
  if (findings.failed() > 0) {
    result.verdict = Verdict::kFail;
    result.message = findings.first().front();
  } else if (findings.checks() == 0) {
    result.verdict = Verdict::kNotSupported;
    result.message = findings.left() > 0 ? untold(findings) : "got nothing that could be checked";
  } else {
    result.message = untold(findings);
  }
  return result;
}

}  // namespace

std::string at_most(double got, double bound) {
  return "got " + number(got) + ", expected at most " + number(bound);
}

std::string more_than(double got, double bound) {
  return "got " + number(got) + ", expected more than " + number(bound);
}

std::string between(double got, double least, double most) {
  return "got " + number(got) + ", expected " + number(least) + " to " + number(most);
}

const std::vector<Property>& properties() {
  static const std::vector<Property> all = [] {
    std::vector<Property> joined;
    for (const auto& part : {chunking_properties(), dependence_properties(), position_properties(),
                             weight_properties(), value_properties(), tap_properties()}) {
      joined.insert(joined.end(), part.begin(), part.end());
    }
    return joined;
  }();
  return all;
}

std::string title_of(const Property& property) {
  return std::string(property.label) + (property.label.empty() ? "" : " ") +
         std::string(property.name);
}

PropertyResult run_property(const Property& property, Subject& subject) {
  if (const std::string lacks = unmet(property.needs, subject); !lacks.empty()) {
    return {Verdict::kNotSupported, lacks, 0, 0, {}};
  }
  Findings findings;
  PropertyResult result;
  try {
    property.run(subject, findings);
    result = result_of(findings);
  } catch (const Stopped& stopped) {
    result = result_of(findings);
    if (result.verdict != Verdict::kFail) {
      result.verdict = stopped.verdict();
      result.message = stopped.what();
    }
  }
  if (property.needs.copies) {
    load(subject, subject.checkpoint);
  }
  return result;
}

}  // namespace assay::conformance
