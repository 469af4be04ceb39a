// SPDX-License-Identifier: Apache-2.0
// assay explain: a tap with its rules and the mistakes that show there; a rule; a mistake; a point
// in which programs differ; a switch of the profile; a case.
#include <iostream>
#include <sstream>
#include <vector>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/tap_name.h"
#include "conformance/program/golden_files.h"
#include "conformance/program/options.h"
#include "conformance/program/power.h"
#include "conformance/program/print_catalogue.h"
#include "conformance/records/golden.h"
#include "reference/family/base/error.h"
#include "reference/family/config/profile.h"

namespace assay::program {
namespace {

bool has_word(std::string_view words, std::string_view wanted) {
  std::istringstream in{std::string(words)};
  for (std::string word; in >> word;) {
    if (word == wanted) {
      return true;
    }
  }
  return false;
}

bool print_mistakes_at(const conformance::TapEntry& tap, const std::string& heading) {
  bool any = false;
  for (const auto& mistake : conformance::all_mistakes()) {
    if (has_word(mistake.tap, tap.pattern)) {
      std::cout << (any ? "" : heading);
      any = true;
      print_mistake(std::cout, mistake);
    }
  }
  return any;
}

// A port that fuses shows what is wrong in between at the next tap that it has.
void print_mistakes_before(const conformance::TapEntry& tap) {
  const auto taps = conformance::all_taps();
  const auto prefix = conformance::tap_prefix(tap.pattern);
  for (auto at = static_cast<std::size_t>(&tap - taps.data()); at-- > 0;) {
    const conformance::TapEntry& before = taps[at];
    if (conformance::tap_prefix(before.pattern) != prefix) {
      return;
    }
    print_mistakes_at(before, "mistakes that show at " + std::string(before.pattern) +
                                  ", and here where a dump lacks it\n");
    if (before.mandatory && before.role.kind == conformance::TapRole::Kind::kReal) {
      return;
    }
  }
}

bool explain_tap(const std::string& name) {
  const auto match = conformance::find_tap(name);
  if (!match) {
    return false;
  }
  print_tap(std::cout, *match->entry);
  std::istringstream labels{std::string(match->entry->rules)};
  for (std::string label; labels >> label;) {
    if (const auto* rule = conformance::find_rule(label)) {
      print_rule(std::cout, *rule);
    }
  }
  if (!print_mistakes_at(*match->entry, "mistakes that show here first\n")) {
    print_mistakes_before(*match->entry);
  }
  return true;
}

bool explain_rule(const std::string& label) {
  const auto* rule = conformance::find_rule(label);
  if (rule == nullptr) {
    return false;
  }
  print_rule(std::cout, *rule);
  for (const auto& entry : conformance::all_taps()) {
    if (has_word(entry.rules, label)) {
      print_tap(std::cout, entry);
    }
  }
  return true;
}

bool explain_mistake(const std::string& label) {
  const auto* mistake = conformance::find_mistake(label);
  if (mistake == nullptr) {
    return false;
  }
  print_mistake(std::cout, *mistake);
  const auto places = where_seen(label);
  if (!places.empty()) {
    std::cout << "seen by committed cases first at\n";
  }
  for (const std::string& place : places) {
    std::cout << "  " << place << "\n";
  }
  return true;
}

bool explain_divergence(const std::string& label) {
  const auto* divergence = conformance::find_divergence(label);
  if (divergence == nullptr) {
    return false;
  }
  print_divergence(std::cout, *divergence);
  return true;
}

bool explain_switch(const std::string& key) {
  const ProfileSwitch* found = find_profile_switch(key);
  if (found == nullptr) {
    return false;
  }
  print_switch(std::cout, *found);
  explain_divergence(std::string(found->ledger));
  return true;
}

// A committed case: checkpoint/name, or a name that only one checkpoint has.
bool explain_case(const std::string& name) {
  std::vector<std::filesystem::path> found;
  for (const auto& file : golden_files(committed_goldens())) {
    const std::string full = file.parent_path().filename().string() + "/" + file.stem().string();
    if (file.stem() == name || full == name) {
      found.push_back(file);
    }
  }
  if (found.size() > 1) {
    throw Error("explain: got '" + name + "', which " + std::to_string(found.size()) +
                " checkpoints have, expected one as in " +
                found.front().parent_path().filename().string() + "/" + name);
  }
  if (found.empty()) {
    return false;
  }
  InspectOptions golden;
  golden.path = found.front().string();
  return inspect(golden) == 0;
}

}  // namespace

int explain(const ExplainOptions& options) {
  if (explain_tap(options.what) || explain_rule(options.what) || explain_mistake(options.what) ||
      explain_divergence(options.what) || explain_switch(options.what) ||
      explain_case(options.what)) {
    return 0;
  }
  throw Error(
      "explain: got '" + options.what +
      "', expected a tap (assay taps lists them), a rule (R-31, RV-3), a mistake (M-46, "
      "V29), a divergence (DIV-M04), a switch (audio.hann) or a committed case (e2b-tiny/NAME)");
}

}  // namespace assay::program
