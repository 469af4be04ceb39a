# SPDX-License-Identifier: Apache-2.0
# Every third-party package, found once. scripts/setup lists the Debian names.

set(BLA_VENDOR OpenBLAS)  # before xtensor-blas, which looks for BLAS itself
find_package(BLAS REQUIRED)
find_package(xtensor 0.24 REQUIRED)
find_package(xtensor-blas 0.20 REQUIRED)
find_package(HDF5 1.10 REQUIRED COMPONENTS C)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(LibLZMA 5.2 REQUIRED)
find_package(PNG 1.6 REQUIRED)
find_package(JPEG REQUIRED)
find_package(PkgConfig REQUIRED)  # for packages without a CMake file
pkg_check_modules(SNDFILE REQUIRED IMPORTED_TARGET sndfile>=1.0.31)
pkg_check_modules(SAMPLERATE REQUIRED IMPORTED_TARGET samplerate>=0.2)
find_package(GTest 1.12 CONFIG REQUIRED)
find_package(Catch2 2.13 CONFIG REQUIRED)
if(ASSAY_BENCHMARKS)
  find_package(benchmark 1.7 CONFIG REQUIRED)
endif()
