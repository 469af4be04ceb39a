# SPDX-License-Identifier: Apache-2.0
# The three calls of every folder: assay_library, assay_tests, assay_cases.

set(ASSAY_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>)
# g++ 12 reports overlapping copies inside std::string's operator+ that cannot happen (GCC 105651).
list(APPEND ASSAY_WARNINGS -Wno-restrict)
if(ASSAY_WERROR)
  list(APPEND ASSAY_WARNINGS -Werror)
endif()

find_program(ASSAY_CCACHE ccache)
if(ASSAY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ASSAY_CCACHE})
endif()

# assay_library(NAME source...): a static library whose includes are rooted at the repository.
function(assay_library name)
  add_library(${name} STATIC ${ARGN})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${ASSAY_WARNINGS})
endfunction()

# assay_tests(NAME LIBRARIES lib... SOURCES file...): a GoogleTest program, one ctest per test.
function(assay_tests name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES;SOURCES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} GTest::gtest_main GTest::gmock)
  target_compile_options(${name} PRIVATE ${ASSAY_WARNINGS})
  target_compile_definitions(${name} PRIVATE ASSAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
endfunction()

# assay_cases(NAME LIBRARIES lib... SOURCES file...): a Catch2 program, the conformance cases.
function(assay_cases name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES;SOURCES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} Catch2::Catch2WithMain)
  target_compile_options(${name} PRIVATE ${ASSAY_WARNINGS})
  target_compile_definitions(${name} PRIVATE ASSAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
endfunction()
