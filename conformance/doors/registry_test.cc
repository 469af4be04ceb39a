// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/registry.h"

#include <gtest/gtest.h>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

// Offers nothing; only its entry is looked at.
ImplementationEntry entry(const std::string& name, std::vector<std::string> precisions) {
  return {name, std::move(precisions), [](const std::string&) { return nullptr; }};
}

std::string refusal(const ImplementationEntry& refused) {
  try {
    register_implementation(refused);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Registry, TheReferenceRegistersItself) {
  const ImplementationEntry* reference = find_implementation("reference");
  ASSERT_NE(reference, nullptr);
  EXPECT_EQ(reference->precisions, (std::vector<std::string>{"f32", "f64"}));
  EXPECT_EQ(&oracle_entry(), reference);
  for (const std::string& precision : reference->precisions) {
    EXPECT_EQ(reference->make(precision)->capabilities().precision, precision);
  }
}

TEST(Registry, TheCpuEngineRegistersItself) {
  const ImplementationEntry* cpu = find_implementation("cpu");
  ASSERT_NE(cpu, nullptr);
  EXPECT_FALSE(cpu->is_oracle);
  EXPECT_EQ(cpu->precisions, (std::vector<std::string>{"f32", "bf16", "int8"}));
  for (const std::string& precision : cpu->precisions) {
    EXPECT_EQ(cpu->make(precision)->capabilities().precision, precision);
  }
}

TEST(Registry, AnEntryIsFoundByItsName) {
  register_implementation(entry("abacus", {"int8"}));
  ASSERT_NE(find_implementation("abacus"), nullptr);
  EXPECT_FALSE(find_implementation("abacus")->is_oracle);
  EXPECT_EQ(find_implementation("abakus"), nullptr);
  EXPECT_EQ(implementation_names(), "abacus, cpu, cuda, reference");
}

TEST(Registry, ClassesAreListedAsInASentence) {
  EXPECT_EQ(precision_names(entry("a", {"f32"})), "f32");
  EXPECT_EQ(precision_names(entry("a", {"f32", "f64"})), "f32 or f64");
  EXPECT_EQ(precision_names(entry("a", {"f32", "bf16", "int8"})), "f32, bf16 or int8");
}

TEST(Registry, RefusesWhatCannotBeMade) {
  EXPECT_EQ(refusal(entry("reference", {"f32"})),
            "implementation 'reference': got the name twice, expected it once");
  const std::string incomplete =
      "got an incomplete entry, expected a name, a precision class and a factory";
  EXPECT_EQ(refusal(entry("", {"f32"})), "implementation '': " + incomplete);
  EXPECT_EQ(refusal(entry("b", {})), "implementation 'b': " + incomplete);
  EXPECT_EQ(refusal({"c", {"f32"}, nullptr}), "implementation 'c': " + incomplete);
}

}  // namespace
}  // namespace assay::conformance
