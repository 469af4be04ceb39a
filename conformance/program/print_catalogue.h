// SPDX-License-Identifier: Apache-2.0
// Entries of the catalogue as text.
#pragma once

#include <iosfwd>

#include "conformance/catalogue/catalogue.h"
#include "reference/family/config/profile.h"

namespace assay::program {

void print_tap(std::ostream& out, const conformance::TapEntry& entry);
void print_rule(std::ostream& out, const conformance::Rule& rule);
void print_mistake(std::ostream& out, const conformance::Mistake& mistake);
void print_divergence(std::ostream& out, const conformance::Divergence& divergence);
void print_switch(std::ostream& out, const ProfileSwitch& of);

}  // namespace assay::program
