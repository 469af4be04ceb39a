// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/cuda/fiber_switch.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__x86_64__)
extern "C" void assay_simt_switch(void** save, void* load);
asm(R"(
.text
.globl assay_simt_switch
.type assay_simt_switch,@function
assay_simt_switch:
  push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp
  ret
.size assay_simt_switch,.-assay_simt_switch
)");
#endif

#ifdef __SANITIZE_ADDRESS__
extern "C" {
void __asan_unpoison_memory_region(const volatile void* address, std::size_t size);
void __sanitizer_start_switch_fiber(void** save, const void* bottom, std::size_t size);
void __sanitizer_finish_switch_fiber(void* save, const void** bottom, std::size_t* size);
}
#endif

namespace assay::simt {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kStride = kPage + kStackBytes;

void announce([[maybe_unused]] void** save, [[maybe_unused]] const Context& to) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(save, to.stack ? to.stack : to.bottom,
                                 to.stack ? kStackBytes : to.size);
#endif
}

void arrived([[maybe_unused]] void* fake_stack, [[maybe_unused]] Context& from) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fake_stack, &from.bottom, &from.size);
#endif
}

void jump(Context& from, Context& to) {
#if defined(__x86_64__)
  assay_simt_switch(&from.stack_pointer, to.stack_pointer);
#else
  swapcontext(&from.registers, &to.registers);
#endif
}

}  // namespace

Stacks::~Stacks() {
  if (memory_ != nullptr) {
    munmap(memory_, count_ * kStride);
  }
}

void Stacks::reserve(std::size_t count) {
  if (count <= count_) {
    return;
  }
  if (memory_ != nullptr) {
    munmap(memory_, count_ * kStride);
  }
  void* got = mmap(nullptr, count * kStride, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED) {
    memory_ = nullptr;
    count_ = 0;
    throw std::bad_alloc();
  }
  memory_ = static_cast<unsigned char*>(got);
  count_ = count;
  for (std::size_t i = 0; i < count; ++i) {
    mprotect(memory_ + i * kStride, kPage, PROT_NONE);
  }
}

unsigned char* Stacks::at(std::size_t i) const {
  return memory_ + i * kStride + kPage;
}

bool Stacks::contains(const void* address) const {
  const auto* p = static_cast<const unsigned char*>(address);
  return memory_ != nullptr && p >= memory_ && p < memory_ + count_ * kStride;
}

void prepare(Context& context, void (*entry)()) {
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(context.stack, kStackBytes);  // frames of the stack's last user
#endif
#if defined(__x86_64__)
  // At entry rsp is 8 mod 16, as after a call.
  auto* top = static_cast<std::uintptr_t*>(static_cast<void*>(context.stack + kStackBytes)) - 1;
  *--top = reinterpret_cast<std::uintptr_t>(entry);
  for (int saved = 0; saved < 6; ++saved) {
    *--top = 0;
  }
  context.stack_pointer = top;
#else
  getcontext(&context.registers);
  context.registers.uc_stack.ss_sp = context.stack;
  context.registers.uc_stack.ss_size = kStackBytes;
  context.registers.uc_link = nullptr;
  makecontext(&context.registers, entry, 0);
#endif
}

void switch_context(Context& from, Context& to) {
  announce(&from.fake_stack, to);
  jump(from, to);
  Context last;  // whoever ran before: its bounds are known already
  arrived(from.fake_stack, last);
}

void arrive_first(Context& from) {
  arrived(nullptr, from);
}

void leave_forever(Context& from, Context& to) {
  announce(nullptr, to);
  jump(from, to);
  std::abort();
}

}  // namespace assay::simt
