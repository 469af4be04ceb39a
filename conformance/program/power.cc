// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/power.h"

#include <fstream>
#include <iomanip>
#include <iterator>
#include <map>
#include <ostream>
#include <set>
#include <sstream>

#include "conformance/program/golden_files.h"
#include "reference/family/base/error.h"

namespace assay::program {
namespace {

namespace fs = std::filesystem;

const conformance::PowerTable& table_at(const fs::path& path) {
  static std::map<fs::path, conformance::PowerTable> tables;
  const auto found = tables.find(path);
  if (found != tables.end()) {
    return found->second;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return tables.emplace(path, conformance::parse_power(text, path.string())).first->second;
}

// "1e-4" and more.
std::string size_words(double least) {
  if (least >= 1) {
    return "1 or more";
  }
  std::ostringstream text;
  text << std::setprecision(1) << std::scientific << least << " or more";
  return text.str();
}

}  // namespace

const conformance::CasePower* power_beside(const fs::path& golden) {
  if (golden.empty()) {  // a case that is no file
    return nullptr;
  }
  const fs::path folder = fs::absolute(golden).parent_path();
  const fs::path path =
      folder.parent_path().parent_path() / "power" / (folder.filename().string() + ".txt");
  if (!fs::exists(path)) {
    return nullptr;
  }
  const auto& table = table_at(path);
  const auto found = table.find(golden.stem().string());
  return found == table.end() ? nullptr : &found->second;
}

void add_power(const fs::path& golden, const conformance::PrecisionClass& precision,
               std::vector<conformance::CaseResult>& results) {
  const conformance::CasePower* power = power_beside(golden);
  if (power == nullptr) {
    return;
  }
  for (conformance::CaseResult& result : results) {
    if (result.verdict == conformance::Verdict::kPass ||
        result.verdict == conformance::Verdict::kWarning) {
      result.power = conformance::power_of(*power, result, precision.sixteen_bit);
    }
  }
}

void RunPower::note(const conformance::CaseResult& result) {
  auto& seen = seen_[result.precision];
  for (const std::string& label : result.power.seen) {
    seen[label] = true;
  }
  for (const std::string& label : result.power.blind) {
    seen.try_emplace(label, false);
  }
}

void RunPower::print(std::ostream& out) const {
  for (const auto& [precision, seen] : seen_) {
    conformance::Power all;
    for (const auto& [label, is_seen] : seen) {
      ++all.expressible;
      all.excluded += is_seen ? 1 : 0;
      if (!is_seen) {
        all.blind.push_back(label);
      }
    }
    if (all.expressible > 0) {
      out << precision << ": " << describe(all) << "\n";
    }
  }
}

std::vector<std::string> where_seen(const std::string& label) {
  std::vector<std::string> places;
  const fs::path folder = committed_goldens().parent_path() / "power";
  if (!fs::exists(folder)) {
    return places;
  }
  std::set<fs::path> files;  // in the order of their names
  for (const auto& entry : fs::directory_iterator(folder)) {
    files.insert(entry.path());
  }
  for (const fs::path& file : files) {
    for (const auto& [name, power] : table_at(file)) {
      for (const auto& [mutant, codes] : power.by_mutant) {
        const std::size_t first = codes.find_first_not_of('.');
        if (conformance::mistake_label(mutant) == label && first != std::string::npos) {
          places.push_back(mutant + " in " + file.stem().string() + "/" + name + ": " +
                           power.kinds[first] + ", relative L2 " +
                           size_words(conformance::least_change(codes[first])));
        }
      }
    }
  }
  return places;
}

}  // namespace assay::program
