# SPDX-License-Identifier: Apache-2.0
# Headers that targets lend: of the standard library for all, of GoogleTest for tests.

set(ASSAY_STANDARD_HEADERS
    <algorithm>
    <array>
    <cmath>
    <cstddef>
    <cstdint>
    <filesystem>
    <functional>
    <map>
    <memory>
    <optional>
    <set>
    <span>
    <sstream>
    <string>
    <string_view>
    <utility>
    <variant>
    <vector>)

assay_headers(assay_headers HEADERS ${ASSAY_STANDARD_HEADERS})
assay_headers(assay_test_headers LIBRARIES GTest::gtest GTest::gmock
  HEADERS ${ASSAY_STANDARD_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)
