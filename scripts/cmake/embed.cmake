# SPDX-License-Identifier: Apache-2.0
# cmake -DHEADER=h -DNAMESPACE=n -DOUTPUT=cc -P embed.cmake -- file...: a source that defines, for
# each text file, the std::string_view of its stem that HEADER declares.

set(source "// Written by scripts/cmake/embed.cmake.\n#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n")
set(names OFF)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  set(file "${CMAKE_ARGV${i}}")
  if(names)
    get_filename_component(stem "${file}" NAME_WE)
    file(READ "${file}" text)
    string(FIND "${text}" ")text\"" end)
    if(NOT end EQUAL -1)
      message(FATAL_ERROR "${file}: got the end of a raw string, expected none")
    endif()
    string(APPEND source "\nconst std::string_view ${stem} = R\"text(${text})text\";\n")
  elseif(file STREQUAL "--")
    set(names ON)
  endif()
endforeach()
file(WRITE "${OUTPUT}" "${source}\n}  // namespace ${NAMESPACE}\n")
