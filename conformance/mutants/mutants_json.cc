// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/mutants_json.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iomanip>
#include <ostream>

#include "conformance/report/write_file.h"
#include "reference/family/base/error.h"
#include "reference/family/base/json.h"

namespace assay::conformance {
namespace {

constexpr int kFormatVersion = 1;
constexpr std::array kFates = {Fate::kKilled, Fate::kMisplaced, Fate::kEscaped, Fate::kBelow,
                               Fate::kEquivalent};

std::size_t count(const KillTable& table, Fate fate) {
  return static_cast<std::size_t>(std::ranges::count(table.kills, fate, &Kill::fate));
}

// Caught anywhere.
std::size_t caught(const KillTable& table) {
  return count(table, Fate::kKilled) + count(table, Fate::kMisplaced);
}

Json kill_json(const Kill& kill) {
  Json json = Json::Object{{"label", kill.label},       {"case", kill.case_name},
                           {"expected", kill.expected}, {"caught_at", kill.caught_at},
                           {"size", kill.size},         {"verdict", fate_name(kill.fate)}};
  if (kill.spacings > 0 || kill.fate == Fate::kBelow) {
    json["differing"] = kill.differing;
    json["spacings"] = kill.spacings;
  }
  return json;
}

Kill kill_of(const Json& json) {
  Kill kill;
  kill.label = json.at("label").get<std::string>();
  kill.case_name = json.at("case").get<std::string>();
  kill.expected = json.at("expected").get<std::string>();
  kill.caught_at = json.at("caught_at").get<std::string>();
  kill.size = json.at("size").is_null() ? 0 : json.at("size").get<double>();
  if (const Json* spacings = json.find("spacings"); spacings != nullptr) {
    kill.spacings = spacings->get<double>();
    kill.differing = json.at("differing").get<double>();
  }
  const std::string verdict = json.at("verdict").get<std::string>();
  const auto* fate = std::ranges::find(kFates, verdict, fate_name);
  if (fate == kFates.end()) {
    throw Error("verdict: got '" + printable(verdict) +
                "', expected killed, misplaced, escaped, below or equivalent");
  }
  kill.fate = *fate;
  return kill;
}

}  // namespace

void print_kill_table(std::ostream& out, const KillTable& table) {
  std::size_t label_width = 5;
  std::size_t case_width = 4;
  for (const Kill& kill : table.kills) {
    label_width = std::max(label_width, kill.label.size());
    case_width = std::max(case_width, kill.case_name.size());
  }
  const auto column = [&](const std::string& text, std::size_t width) {
    out << text << std::string(width > text.size() ? width - text.size() : 0, ' ') << "  ";
  };
  column("label", label_width);
  column("case", case_width);
  out << "verdict     size  caught at\n";
  for (const Kill& kill : table.kills) {
    column(kill.label, label_width);
    column(kill.case_name, case_width);
    out << std::left << std::setw(10) << fate_name(kill.fate) << std::right << std::setw(9)
        << std::setprecision(2) << kill.size << "  " << kill.caught_at;
    if (kill.fate != Fate::kKilled) {
      out << " (expected " << kill.expected << ")";
    }
    if (kill.fate == Fate::kBelow || (kill.fate != Fate::kKilled && kill.spacings > 0)) {
      out << ", " << std::setprecision(2) << 100 * kill.differing
          << " % of the values round to another number, by " << kill.spacings
          << " spacings at most";
    }
    out << "\n";
  }
  out << caught(table) << " of " << table.kills.size() << " mutants killed, "
      << count(table, Fate::kKilled) << " at the expected tap; " << count(table, Fate::kEscaped)
      << " escaped, " << count(table, Fate::kEquivalent) << " change nothing here";
  if (const std::size_t below = count(table, Fate::kBelow); below > 0) {
    out << ", " << below << " lie below the rounding of " << table.precision;
  }
  out << "\n";
}

void print_innocent(std::ostream& out, const KillTable& table) {
  out << table.innocent_runs << " honest runs, " << table.false_alarms << " refused\n";
}

bool all_killed(const KillTable& table) {
  return count(table, Fate::kKilled) + count(table, Fate::kBelow) == table.kills.size() &&
         table.false_alarms == 0;
}

void write_mutants_json(const std::string& folder, const KillTable& table) {
  Json::Array mutants;
  for (const Kill& kill : table.kills) {
    mutants.push_back(kill_json(kill));
  }
  const Json json =
      Json::Object{{"format_version", kFormatVersion},
                   {"precision", table.precision},
                   {"summary", Json::Object{{"expressible", table.kills.size()},
                                            {"killed", caught(table)},
                                            {"at_expected", count(table, Fate::kKilled)},
                                            {"below", count(table, Fate::kBelow)},
                                            {"innocent_runs", table.innocent_runs},
                                            {"false_alarms", table.false_alarms}}},
                   {"mutants", std::move(mutants)}};
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  write_file(std::filesystem::path(folder) / "mutants.json", json_text(json, {.indent = 1}) + "\n");
}

KillTable read_mutants_json(const std::string& text, const std::string& label) {
  const Json json = parse_json(text, label);
  try {
    if (json.at("format_version").get<int>() != kFormatVersion) {
      throw Error("format_version: got another, expected 1");
    }
    KillTable table;
    if (const Json* precision = json.find("precision"); precision != nullptr) {
      table.precision = precision->get<std::string>();
    }
    for (const Json& each : json.at("mutants").array()) {
      table.kills.push_back(kill_of(each));
    }
    return table;
  } catch (const std::exception& error) {  // a part of another type, too
    throw Error(label + ": " + error.what());
  }
}

}  // namespace assay::conformance
