# SPDX-License-Identifier: Apache-2.0
# The three calls of every folder: assay_library, assay_tests, assay_cases.
#
# Headers that most sources include take longer to parse than the sources themselves, so they are
# parsed once: the targets of headers.cmake, or a library of its own, lend them to those compiled
# with the same flags. A source includes what it uses all the same; the preset `tidy`, which compiles
# without, sees to that.

set(ASSAY_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>)
# g++ 12 reports copies inside std::string that overlap, have no end or leave the short string, which
# cannot happen (GCC 105651); from a precompiled header more of them.
list(APPEND ASSAY_WARNINGS
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict$<SEMICOLON>-Wno-array-bounds$<SEMICOLON>-Wno-stringop-overflow$<SEMICOLON>-Wno-stringop-overread>)
if(ASSAY_WERROR)
  list(APPEND ASSAY_WARNINGS -Werror)
endif()

find_program(ASSAY_CCACHE ccache)
if(ASSAY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without this ccache compiles anew whatever has a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${ASSAY_CCACHE})
endif()

# The headers of a target: its own, or the target that lends them.
function(assay_precompile name headers)
  target_compile_options(${name} PRIVATE  # for ccache
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
    "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
  if(TARGET "${headers}")
    target_precompile_headers(${name} REUSE_FROM ${headers})
  else()
    target_precompile_headers(${name} PRIVATE ${headers})
  endif()
endfunction()

# assay_headers(NAME [LIBRARIES lib...] HEADERS header...): headers to lend, and nothing else.
function(assay_headers name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES;HEADERS" ${ARGN})
  set(nothing ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  file(CONFIGURE OUTPUT ${nothing} CONTENT "")
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${nothing})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
  target_compile_options(${name} PRIVATE ${ASSAY_WARNINGS})
  assay_precompile(${name} "${ARG_HEADERS}")
endfunction()

# assay_library(NAME [HEADERS headers] source...): a static library whose includes are rooted at the
# repository.
function(assay_library name)
  cmake_parse_arguments(ARG "" "HEADERS" "" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${ASSAY_WARNINGS})
  if(NOT ARG_HEADERS)
    set(ARG_HEADERS assay_headers)
  endif()
  assay_precompile(${name} ${ARG_HEADERS})
endfunction()

# assay_tests(NAME [HEADERS headers] LIBRARIES lib... SOURCES file...): a GoogleTest program, one
# ctest per test.
function(assay_tests name)
  cmake_parse_arguments(ARG "" "HEADERS" "LIBRARIES;SOURCES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  if(NOT ARG_HEADERS)
    set(ARG_HEADERS assay_test_headers)
  endif()
  assay_precompile(${name} ${ARG_HEADERS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} assay_source_dir GTest::gtest_main GTest::gmock)
  target_compile_options(${name} PRIVATE ${ASSAY_WARNINGS})
  add_test(NAME ${name} COMMAND ${name})
endfunction()

# assay_cases(NAME LIBRARIES lib... SOURCES file...): a Catch2 program, the conformance cases.
function(assay_cases name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES;SOURCES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} assay_source_dir Catch2::Catch2WithMain)
  target_compile_options(${name} PRIVATE ${ASSAY_WARNINGS})
  add_test(NAME ${name} COMMAND ${name})
endfunction()
