// SPDX-License-Identifier: Apache-2.0
// A whole implementation shows every tap of the catalogue that its model has, and no other.
#include <catch2/catch.hpp>

#include "conformance/cases/prompts.h"
#include "conformance/cases/subjects.h"
#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/tap_context.h"

namespace assay::conformance {
namespace {

void check_catalogue(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    INFO(checkpoint << " " << subject.name);
    const TapMap taps = run_taps(subject, text_prompt(9));
    for (const std::string& name : expand_taps(context_of(subject.config.text))) {
      INFO(name);
      CHECK(taps.count(name) == 1);
    }
    for (const auto& [name, tap] : taps) {
      INFO(name);
      CHECK(find_tap(name).has_value());
    }
  }
}

}  // namespace

TEST_CASE("every tap of the catalogue is shown: e2b", "[e2b][catalogue]") {
  check_catalogue("e2b-tiny");
}
TEST_CASE("every tap of the catalogue is shown: e4b", "[e4b][catalogue]") {
  check_catalogue("e4b-tiny");
}
TEST_CASE("every tap of the catalogue is shown: 12b", "[12b][catalogue]") {
  check_catalogue("12b-tiny");
}
TEST_CASE("every tap of the catalogue is shown: 26b", "[26b][catalogue]") {
  check_catalogue("26b-tiny");
}
TEST_CASE("every tap of the catalogue is shown: 31b", "[31b][catalogue]") {
  check_catalogue("31b-tiny");
}

}  // namespace assay::conformance
