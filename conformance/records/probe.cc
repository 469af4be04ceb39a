// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/probe.h"

#include <fcntl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kBytesPerSecond = 4 << 20;  // far below what deflate and a slow disk give
constexpr suseconds_t kLeastMicroseconds = 700'000;

// What the C library says about its own heap is of no use to anybody.
void silence() {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) {
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
  }
}

[[noreturn]] void run_child(std::size_t file_bytes, const std::function<void()>& read) {
  silence();
  std::signal(SIGPROF, SIG_DFL);
  itimerval limit{};
  limit.it_value.tv_sec = static_cast<time_t>(file_bytes / kBytesPerSecond);
  limit.it_value.tv_usec = kLeastMicroseconds;
  setitimer(ITIMER_PROF, &limit, nullptr);
  try {
    read();
  } catch (const Error&) {
    _exit(0);
  } catch (...) {
    _exit(1);
  }
  _exit(0);
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      return -1;
    }
  }
  return status;
}

}  // namespace

void probe(const std::string& label, std::size_t file_bytes, const std::function<void()>& read) {
  const pid_t child = fork();
  if (child == 0) {
    run_child(file_bytes, read);
  }
  if (child < 0) {
    throw Error(label + ": file: got no second process to read it in, expected one");
  }
  const int status = wait_for(child);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF) {
    throw Error(label +
                ": file: got an HDF5 file whose structure has no end, expected a whole one");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw Error(label + ": file: got a damaged HDF5 file that the library crashes on, expected a " +
                "whole one");
  }
}

}  // namespace assay::conformance
