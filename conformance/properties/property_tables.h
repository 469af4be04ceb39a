// SPDX-License-Identifier: Apache-2.0
// The properties of each file of this folder.
#pragma once

#include <span>

#include "conformance/properties/property.h"

namespace assay::conformance {

std::span<const Property> chunking_properties();    // I-1
std::span<const Property> dependence_properties();  // I-2, I-3
std::span<const Property> position_properties();    // I-4, I-5
std::span<const Property> weight_properties();      // I-6, I-7
std::span<const Property> value_properties();       // I-8 to I-10, and that runs repeat
std::span<const Property> tap_properties();         // the catalogue

}  // namespace assay::conformance
