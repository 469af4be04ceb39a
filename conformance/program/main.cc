// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/program.h"

int main(int argc, char** argv) {
  return assay::program::run_program({argv, argv + argc});
}
