// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/json_report.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

namespace assay::conformance {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormatVersion = 1;
constexpr std::array kVerdicts = {
    Verdict::kPass,          Verdict::kFail,         Verdict::kWarning, Verdict::kNotSupported,
    Verdict::kResourceError, Verdict::kHarnessError, Verdict::kWaived};

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json tap_json(const TapResult& tap) {
  Json json = {{"tap", tap.tap},
               {"verdict", verdict_name(tap.verdict)},
               {"code", tap.code},
               {"max_abs", number(tap.max_abs)},
               {"rel_l2", number(tap.rel_l2)},
               {"floor", number(tap.floor)},
               {"budget", number(tap.budget)},
               {"in_bound_units", number(tap.in_bound_units)},
               {"cosine", number(tap.cosine)}};
  json["where"] = tap.where;
  json["got"] = number(tap.got);
  json["want"] = number(tap.want);
  json["worst_row"] = tap.worst_row;
  json["worst_row_units"] = number(tap.worst_row_units);
  json["floor_source"] = tap.floor_source;
  if (!tap.note.empty()) {
    json["note"] = tap.note;
  }
  return json;
}

Json case_json(const CaseResult& result) {
  Json json = {{"case", result.case_name},     {"checkpoint", result.checkpoint},
               {"impl", result.impl},          {"precision", result.precision},
               {"mode", result.mode},          {"verdict", verdict_name(result.verdict)},
               {"message", result.message},    {"seconds", number(result.seconds)},
               {"reproduce", result.reproduce}};
  if (!result.matches_profile.empty()) {
    json["matches_profile"] = result.matches_profile;
    json["profile_note"] = result.profile_note;
  }
  json["introduced_by"] = result.introduced_by;
  json["inherited"] = result.inherited;
  json["not_provided"] = Json::array();
  for (const auto& [tap, reason] : result.not_provided) {
    Json entry = Json::object();
    entry["tap"] = tap;
    entry["reason"] = reason;
    json["not_provided"].push_back(std::move(entry));
  }
  json["taps"] = Json::array();
  for (const TapResult& tap : result.taps) {
    json["taps"].push_back(tap_json(tap));
  }
  return json;
}

}  // namespace

std::string json_report(const Report& report) {
  Json json = Json::object();
  json["format_version"] = kFormatVersion;
  json["command"] = report.command;
  json["summary"] = Json::object();
  for (const Verdict verdict : kVerdicts) {
    json["summary"][verdict_name(verdict)] = count_cases(report, verdict);
  }
  json["cases"] = Json::array();
  for (const CaseResult& result : report.cases) {
    json["cases"].push_back(case_json(result));
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay::conformance
