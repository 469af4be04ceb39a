// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/json_report.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "conformance/report/coverage_note.h"
#include "reference/family/base/json.h"

namespace assay::conformance {
namespace {

constexpr int kFormatVersion = 1;
constexpr std::array kVerdicts = {
    Verdict::kPass,          Verdict::kFail,         Verdict::kWarning, Verdict::kNotSupported,
    Verdict::kResourceError, Verdict::kHarnessError, Verdict::kWaived,  Verdict::kNotTested};

Json rows_json(const TapResult& tap) {
  return Json::Object{{"wrong", tap.wrong_rows.size()}, {"of", tap.rows}, {"note", tap.rows_note}};
}

Json tap_json(const TapResult& tap) {
  Json json = Json::Object{{"tap", tap.tap},       {"verdict", verdict_name(tap.verdict)},
                           {"code", tap.code},     {"max_abs", tap.max_abs},
                           {"rel_l2", tap.rel_l2}, {"floor", tap.floor},
                           {"budget", tap.budget}, {"in_bound_units", tap.in_bound_units},
                           {"cosine", tap.cosine}};
  json["where"] = tap.where;
  json["got"] = tap.got;
  json["want"] = tap.want;
  json["worst_row"] = tap.worst_row;
  json["worst_row_units"] = tap.worst_row_units;
  json["floor_source"] = tap.floor_source;
  if (std::isfinite(tap.differing)) {
    json["roundings"] = Json::Object{{"differing", tap.differing}, {"limit", tap.differing_limit}};
  }
  if (!tap.note.empty()) {
    json["note"] = tap.note;
  }
  if (tap.verdict == Verdict::kFail) {
    json["rows"] = rows_json(tap);
    json["signature"] = tap.signature;
    json["since"] = tap.since;
    json["within"] = tap.within;
    json["mistakes"] = tap.mistakes;
  }
  return json;
}

Json diagnosis_json(const CaseResult& result) {
  Json::Array all;
  for (const Diagnosis& each : result.diagnosis) {
    all.push_back(Json::Object{{"label", each.label},
                               {"what", each.what},
                               {"explains", each.explains},
                               {"of", each.failing},
                               {"residual", each.residual},
                               {"same_here", each.same_here},
                               {"taps", each.taps}});
  }
  return all;
}

// The tap whose rows stand for the case: the first at which an error entered, or that fails.
const TapResult* first_failure(const CaseResult& result) {
  for (const TapResult& tap : result.taps) {
    const bool named =
        std::ranges::find(result.introduced_by, tap.tap) != result.introduced_by.end();
    if (tap.verdict == Verdict::kFail && (named || result.introduced_by.empty())) {
      return &tap;
    }
  }
  return nullptr;
}

// What is said of a dump beside its numbers.
void add_hygiene(const CaseResult& result, Json& json) {
  Json::Array ignored;
  for (const IgnoredName& name : result.ignored) {
    ignored.push_back(Json::Object{
        {"name", name.name}, {"did_you_mean", name.meant.empty() ? Json() : Json(name.meant)}});
  }
  json["ignored"] = std::move(ignored);
  Json::Array notes;
  for (const DumpNote& note : result.notes) {
    notes.push_back(Json::Object{{"taps", note.taps}, {"text", note.text}});
  }
  json["notes"] = std::move(notes);
}

Json case_json(const CaseResult& result) {
  Json json = Json::Object{{"case", result.case_name},
                           {"checkpoint", result.checkpoint},
                           {"impl", result.impl},
                           {"precision", result.precision},
                           {"mode", mode_name(result.mode)},
                           {"verdict", verdict_name(result.verdict)},
                           {"message", result.message},
                           {"seconds", result.seconds},
                           {"reproduce", result.reproduce}};
  if (!result.matches_profile.empty()) {
    json["matches_profile"] = result.matches_profile;
    json["profile_note"] = result.profile_note;
  }
  if (result.power.expressible > 0) {
    json["power"] = Json::Object{{"excluded", result.power.excluded},
                                 {"expressible", result.power.expressible},
                                 {"blind", result.power.blind}};
  }
  if (!result.diagnosis.empty()) {
    json["diagnosis"] = diagnosis_json(result);
  }
  if (!result.rounding_note.empty()) {
    json["rounding_note"] = result.rounding_note;
  }
  if (result.mode == Mode::kProperty) {
    json["checks"] = result.checks;
    json["failed_checks"] = result.failed_checks;
    json["failures"] = result.failures;
  }
  json["coverage"] = Json::Object{{"kinds_judged", result.coverage.kinds_judged},
                                  {"kinds_known", result.coverage.kinds_known},
                                  {"ignored", result.coverage.ignored}};
  if (const std::string note = coverage_note(result); !note.empty()) {
    json["coverage"]["note"] = note;
  }
  json["achieved_class"] = result.achieved_class;
  if (!result.class_note.empty()) {
    json["class_note"] = result.class_note;
  }
  if (const TapResult* first = first_failure(result)) {
    json["rows"] = rows_json(*first);
  }
  json["introduced_by"] = result.introduced_by;
  json["inherited"] = result.inherited;
  Json::Array not_provided;
  for (const auto& [tap, reason] : result.not_provided) {
    not_provided.push_back(Json::Object{{"tap", tap}, {"reason", reason}});
  }
  json["not_provided"] = std::move(not_provided);
  add_hygiene(result, json);
  Json::Array taps;
  for (const TapResult& tap : result.taps) {
    taps.push_back(tap_json(tap));
  }
  json["taps"] = std::move(taps);
  return json;
}

}  // namespace

std::string json_report(const Report& report) {
  Json json;
  json["format_version"] = kFormatVersion;
  json["command"] = report.command;
  if (!report.executed_on.empty()) {
    json["executed_on"] = report.executed_on;
  }
  for (const Verdict verdict : kVerdicts) {
    json["summary"][verdict_name(verdict)] = count_cases(report, verdict);
  }
  Json::Array cases;
  for (const CaseResult& result : report.cases) {
    cases.push_back(case_json(result));
  }
  json["cases"] = std::move(cases);
  return json_text(json, {.indent = 1, .ascii = false}) + "\n";
}

}  // namespace assay::conformance
