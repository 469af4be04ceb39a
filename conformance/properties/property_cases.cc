// SPDX-License-Identifier: Apache-2.0
// Every property of every implementation that was built, on checkpoints of golden/, as Catch2
// cases: "e2b: I-3 reach of the window", tags [e2b] and [I-3].
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "conformance/doors/registry.h"
#include "conformance/properties/property.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

// Which model a checkpoint stands for, and whether it is there for one property only.
struct Ground {
  std::string tag;
  std::string checkpoint;
  std::string only;  // empty: all
};

const std::vector<Ground>& grounds() {
  static const std::vector<Ground> all = {
      {"e2b", "e2b-tiny", ""},
      {"e4b", "e4b-tiny", ""},
      {"12b", "12b-tiny", ""},
      {"26b", "26b-tiny", ""},
      {"31b", "31b-tiny", ""},
      {"e2b", "e2b-sharing", "any chunking"},
      {"media", "e2b-media-tiny", "every tap of the catalogue: media"},
      {"media", "26b-media-tiny", "every tap of the catalogue: media"},
      {"media", "12b-media-tiny", "every tap of the catalogue: media"},
  };
  return all;
}

// What does not apply to a model. A property that is not supported elsewhere has failed.
bool applies(const Property& property, const Ground& ground) {
  if (!ground.only.empty()) {
    return property.name == ground.only;
  }
  if (property.needs.encoders) {
    return false;
  }
  if (property.needs.experts) {
    return ground.tag == "26b";
  }
  return !property.needs.raw_keys_as_values || ground.tag == "12b" || ground.tag == "26b" ||
         ground.tag == "31b";
}

std::string tag_of(const Property& property) {
  if (property.name.starts_with("every tap of the catalogue")) {
    return "[catalogue]";
  }
  return property.label.empty() ? "" : "[" + std::string(property.label) + "]";
}

class PropertyCase : public Catch::ITestInvoker {
 public:
  PropertyCase(const Property& property, const Ground& ground)
      : property_(property), ground_(ground) {}

  void invoke() const override {
    for (const auto& [name, entry] : registered_implementations()) {
      if (entry.unavailable && !entry.unavailable().empty()) {
        continue;
      }
      if (entry.use_threads) {
        entry.use_threads(1);
      }
      for (const std::string& precision : entry.precisions) {
        if (applies_to(entry, precision)) {
          DYNAMIC_SECTION(name << " " << precision) {
            run(*entry.make(precision));
          }
        }
      }
    }
  }

 private:
  // An implementation that fuses leaves taps out; that all are there is the textbook's to show.
  bool applies_to(const ImplementationEntry& entry, const std::string& precision) const {
    const bool exact = precision == "f32" || precision == "f64";
    return exact && (entry.is_oracle || !property_.name.starts_with("every tap"));
  }

  // One a class: what was measured for one case is known in the next.
  static const std::shared_ptr<Yardstick>& yardstick(const PrecisionClass& precision) {
    static std::map<const PrecisionClass*, std::shared_ptr<Yardstick>> all;
    auto& one = all[&precision];
    if (!one) {
      one = std::make_shared<Yardstick>(oracle_entry().make("f64"), oracle_entry().make("f32"),
                                        precision, "REF");
    }
    return one;
  }

  void run(Implementation& implementation) const {
    Subject subject =
        make_subject(implementation, source_dir() + "/golden/checkpoints/" + ground_.checkpoint,
                     yardstick(class_of(implementation)));
    const PropertyResult result = run_property(property_, subject);
    for (const std::string& failure : result.failures) {
      FAIL_CHECK(failure);
    }
    INFO(result.message);
    CHECK(result.verdict == Verdict::kPass);
    CHECK(result.checks > 0);
  }

  const Property& property_;
  const Ground& ground_;
};

bool register_cases() {
  for (const Ground& ground : grounds()) {
    for (const Property& property : properties()) {
      if (applies(property, ground)) {
        const std::string name = ground.checkpoint + ": " + title_of(property);
        const std::string tags = "[" + ground.tag + "]" + tag_of(property);
        // The registry of Catch2 owns the invoker.
        const Catch::AutoReg registered(new PropertyCase(property, ground), CATCH_INTERNAL_LINEINFO,
                                        "", Catch::NameAndTags(name, tags));
      }
    }
  }
  return true;
}

[[maybe_unused]] const bool kRegistered = register_cases();

TEST_CASE("every property applies somewhere, under a name of its own", "[properties]") {
  std::set<std::string> titles;
  for (const Property& property : properties()) {
    INFO(title_of(property));
    CHECK(titles.insert(title_of(property)).second);
    std::size_t count = 0;
    for (const Ground& ground : grounds()) {
      count += applies(property, ground) ? 1 : 0;
    }
    CHECK(count > 0);
  }
}

}  // namespace
}  // namespace assay::conformance
