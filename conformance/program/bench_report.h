// SPDX-License-Identifier: Apache-2.0
// What `assay bench` measured, as a table or as one JSON object.
//
// A share of decoding is a share of the rate of reading beside the sample, of prefill a share of
// the instruction that most of its products are made of. Samples whose probes of reading, before
// and after, differ by more than 10 % are not counted.
#pragma once

#include <string>
#include <vector>

#include "conformance/interface/meter.h"

namespace assay::program {

struct BenchSample {
  double seconds = 0;
  double tokens_per_s = 0;
  double read_before = 0;  // bytes a second
  double read_after = 0;
  bool steady = true;
  conformance::Work work;
};

struct BenchTest {
  std::string name;  // "pp512", "tg64@512"
  std::vector<BenchSample> samples = {};
};

struct BenchReport {
  std::string impl;
  std::string checkpoint;
  std::string precision;
  std::string cache;
  std::string executed_on;  // "": on the machine that runs the program
  bool skip_shared = true;
  bool metered = false;  // the session measures itself
  conformance::MachineRates machine;
  conformance::ModelFacts facts;
  std::vector<BenchTest> tests;
};

void print_table(const BenchReport& report);
void print_json(const BenchReport& report);

}  // namespace assay::program
