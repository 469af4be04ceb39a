// SPDX-License-Identifier: Apache-2.0
// For tests: an action in a child process that has little time and memory.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <string>

#include "reference/family/base/error.h"

namespace assay {

constexpr rlim_t kTestSeconds = 10;         // of the processor
constexpr unsigned kTestWallSeconds = 120;  // for what waits instead; others may be at work here
constexpr rlim_t kTestMemory = 1u << 30;    // bytes of address space, libraries included

// Address sanitizer reserves terabytes of addresses, so it runs without the limit.
inline bool limits_memory() {
#ifdef __SANITIZE_ADDRESS__
  return false;
#else
  return true;
#endif
}

// The message of the Error that `action` throws; "no error", the words of another exception, or
// the signal that ended it.
template <class Action>
std::string error_within_limits(Action action) {
  std::array<int, 2> ends = {};
  if (::pipe(ends.data()) != 0) {
    return "no pipe";
  }
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit memory = {kTestMemory, kTestMemory};
    if (limits_memory()) {
      ::setrlimit(RLIMIT_AS, &memory);
    }
    const rlimit seconds = {kTestSeconds, kTestSeconds};
    ::setrlimit(RLIMIT_CPU, &seconds);
    ::alarm(kTestWallSeconds);
    std::string message = "no error";
    try {
      action();
    } catch (const Error& error) {
      message = error.what();
    } catch (const std::exception& error) {
      message = std::string("not an assay::Error: ") + error.what();
    }
    const bool written = ::write(ends[1], message.data(), message.size()) >= 0;
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string message;
  std::array<char, 512> block = {};
  for (ssize_t count = 0; (count = ::read(ends[0], block.data(), block.size())) > 0;) {
    message.append(block.data(), static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status)) : message;
}

}  // namespace assay
