// SPDX-License-Identifier: Apache-2.0
// Switching between stacks in one OS thread: 15 instructions on x86-64, ucontext elsewhere.
#pragma once

#include <cstddef>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace assay::simt {

#ifdef __SANITIZE_ADDRESS__
inline constexpr std::size_t kStackBytes = 256 * 1024;  // red zones make frames longer
#else
inline constexpr std::size_t kStackBytes = 64 * 1024;
#endif

// Where a stack stands while it does not run.
struct Context {
#if defined(__x86_64__)
  void* stack_pointer = nullptr;
#else
  ucontext_t registers;
#endif
  unsigned char* stack = nullptr;  // its lowest byte; of the OS thread: null
  const void* bottom = nullptr;    // for AddressSanitizer: bounds of the OS thread's own stack
  std::size_t size = 0;
  void* fake_stack = nullptr;
};

// `count` stacks one above the other, each with a page below it that nobody may touch.
class Stacks {
 public:
  Stacks() = default;
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;
  ~Stacks();
  void reserve(std::size_t count);
  unsigned char* at(std::size_t i) const;
  bool contains(const void* address) const;

 private:
  unsigned char* memory_ = nullptr;
  std::size_t count_ = 0;
};

// The next switch to `context` calls entry, which never returns. Its stack is set.
void prepare(Context& context, void (*entry)());
void switch_context(Context& from, Context& to);
// The first line of an entry, and the last switch of a stack that is done.
void arrive_first(Context& from);
[[noreturn]] void leave_forever(Context& from, Context& to);

}  // namespace assay::simt
