# SPDX-License-Identifier: Apache-2.0
# Kernel files by nvcc, where there is one: for the library that runs on a device.
#
# The language CUDA of CMake 3.25 knows no C++20 of nvcc 13, and the gate of the kernels compiles the
# same files for the same devices; so scripts/cuda_gate.py compiles them, once for both.
set(ASSAY_CUDA AUTO CACHE STRING "build libassay_cuda.so, by nvcc: AUTO (when it is found), ON, OFF")
set(ASSAY_HAS_CUDA OFF)
if(NOT ASSAY_CUDA STREQUAL "OFF" AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  file(GLOB places ${PROJECT_SOURCE_DIR}/.venv/cuda/lib/python3*/site-packages/nvidia/cu*)
  list(APPEND places /usr/local/cuda /opt/cuda)
  find_program(ASSAY_NVCC NAMES $ENV{NVCC} nvcc PATHS ${places} PATH_SUFFIXES bin)
  # nvcc may be a script elsewhere than its libraries: those lie beside one of the places.
  if(ASSAY_NVCC)
    execute_process(COMMAND ${ASSAY_NVCC} --dryrun -c none.cu ERROR_VARIABLE dry_run OUTPUT_QUIET)
    if(dry_run MATCHES "TOP=([^\r\n]+)")
      get_filename_component(top ${CMAKE_MATCH_1} REALPATH)
      list(PREPEND places ${top})
    endif()
  endif()
  find_library(ASSAY_CUDA_RUNTIME libcudart_static.a HINTS ${places} PATH_SUFFIXES lib lib64)
  find_package(Python3 QUIET COMPONENTS Interpreter)
  if(ASSAY_NVCC AND ASSAY_CUDA_RUNTIME AND Python3_FOUND)
    set(ASSAY_HAS_CUDA ON)
  elseif(ASSAY_CUDA STREQUAL "ON")
    message(FATAL_ERROR "ASSAY_CUDA is ON: got no nvcc with libcudart_static.a and Python 3, expected "
                        "them (scripts/setup --cuda)")
  endif()
endif()

# assay_cuda_objects(VARIABLE file...): the objects of kernel files, for every device that they are
# written for.
function(assay_cuda_objects variable)
  set(objects "")
  foreach(source IN LISTS ARGN)
    get_filename_component(name ${source} NAME)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E env NVCC=${ASSAY_NVCC} ${Python3_EXECUTABLE}
              ${PROJECT_SOURCE_DIR}/scripts/cuda_gate.py --object ${CMAKE_CURRENT_SOURCE_DIR}/${source} ${object}
      DEPENDS ${source} ${PROJECT_SOURCE_DIR}/scripts/cuda_gate.py
      DEPFILE ${object}.d
      COMMENT "Compiling ${source} for devices" VERBATIM)
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
    list(APPEND objects ${object})
  endforeach()
  set(${variable} ${objects} PARENT_SCOPE)
endfunction()
