# SPDX-License-Identifier: Apache-2.0
# Every third-party package, found once. scripts/setup lists the Debian names.

find_package(nlohmann_json 3.11 REQUIRED)
find_package(LibLZMA 5.2 REQUIRED)
find_package(PNG 1.6 REQUIRED)
find_package(JPEG REQUIRED)
find_package(TIFF 4.5 REQUIRED)
find_package(GIF 5 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)  # for packages without a CMake file
pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET libwebp>=1.2 libwebpdemux)
pkg_check_modules(SNDFILE REQUIRED IMPORTED_TARGET sndfile>=1.0.31)
pkg_check_modules(SAMPLERATE REQUIRED IMPORTED_TARGET samplerate>=0.2)
set(ASSAY_HAS_FFMPEG OFF)
if(NOT ASSAY_VIDEO STREQUAL "OFF")
  pkg_check_modules(FFMPEG IMPORTED_TARGET libavformat>=59.27 libavcodec>=59.37 libavutil>=57.28
                    libswresample>=4.7 libswscale>=6.7)  # of FFmpeg 5.1
  set(ASSAY_HAS_FFMPEG ${FFMPEG_FOUND})
  if(ASSAY_VIDEO STREQUAL "ON" AND NOT FFMPEG_FOUND)
    message(FATAL_ERROR "ASSAY_VIDEO is ON: got no FFmpeg, expected its libraries, 5.1 or later")
  endif()
endif()
find_package(GTest 1.12 CONFIG REQUIRED)

if(NOT ASSAY_REFERENCE)  # the rest is not for reference/family
  return()
endif()
set(BLA_VENDOR OpenBLAS)  # before xtensor-blas, which looks for BLAS itself
find_package(BLAS REQUIRED)
find_package(xtensor 0.24 REQUIRED)
find_package(xtensor-blas 0.20 REQUIRED)
find_package(HDF5 1.10 REQUIRED COMPONENTS C)
find_package(CLI11 2.1 REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(HIGHWAY REQUIRED IMPORTED_TARGET libhwy>=1.0)
find_package(Catch2 2.13 CONFIG REQUIRED)
if(ASSAY_BENCHMARKS)
  find_package(benchmark 1.7 CONFIG REQUIRED)
endif()
