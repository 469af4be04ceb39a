// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/cuda/race_report.h"

#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <memory>

namespace assay::simt {
namespace {

// "file:line", or nothing.
std::string line_of(const void* pc) {
  Dl_info info;
  if (dladdr(pc, &info) == 0 || info.dli_fname == nullptr) {
    return "";
  }
  const auto at =
      reinterpret_cast<std::uintptr_t>(pc) - reinterpret_cast<std::uintptr_t>(info.dli_fbase) - 1;
  char command[1024];
  const int length = std::snprintf(command, sizeof command, "addr2line -e '%s' %#llx 2>/dev/null",
                                   info.dli_fname, static_cast<unsigned long long>(at));
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof command) {
    return "";
  }
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command, "r"), pclose);
  char line[512] = "";
  if (pipe == nullptr || std::fgets(line, sizeof line, pipe.get()) == nullptr) {
    return "";
  }
  std::string text = line;
  text = text.substr(0, text.find_first_of("\n "));
  return text.find('?') == std::string::npos ? text : "";
}

}  // namespace

std::string spell_race(const Race& race) {
  if (race.pc == nullptr) {
    return race.what;
  }
  const std::string line = line_of(race.pc);
  if (!line.empty()) {
    return race.what + ", at " + line;
  }
  char address[32];
  std::snprintf(address, sizeof address, ", at %p", race.pc);
  return race.what + address;
}

}  // namespace assay::simt
