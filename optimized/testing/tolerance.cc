// SPDX-License-Identifier: Apache-2.0
#include "optimized/testing/tolerance.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <tuple>

namespace assay {
namespace {

struct Noted {
  double error = 0;
  std::size_t values = 0;
};

using Key = std::tuple<std::string, std::string, std::string>;  // kernel, type, target

std::map<Key, Noted>& notes() {
  static std::map<Key, Noted> all;
  return all;
}

class WriteAtTheEnd : public testing::Environment {
 public:
  void TearDown() override {
    const char* const path = std::getenv("ASSAY_TOLERANCE");
    if (path == nullptr) {
      return;
    }
    std::ofstream out(path);
    out.precision(4);
    for (const auto& [key, noted] : notes()) {
      const auto& [kernel, type, target] = key;
      out << kernel << '\t' << type << '\t' << target << '\t' << noted.error << '\t' << noted.values
          << '\n';
    }
    EXPECT_TRUE(out.flush()) << path << ": cannot be written";
  }
};

const testing::Environment* const kWriteAtTheEnd =
    testing::AddGlobalTestEnvironment(new WriteAtTheEnd);

}  // namespace

void note_error(const std::string& kernel, const std::string& type, const std::string& target,
                double error, std::size_t values) {
  Noted& noted = notes()[{kernel, type, target}];
  noted.error =
      std::max(noted.error, std::isnan(error) ? std::numeric_limits<double>::infinity() : error);
  noted.values += values;
}

}  // namespace assay
