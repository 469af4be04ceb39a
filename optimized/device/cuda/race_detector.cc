// SPDX-License-Identifier: Apache-2.0
// Finds accesses to one byte, one of them a write and not both atomic, of threads that nothing
// orders.
//
// Kernels are compiled with -fsanitize=thread --param tsan-instrument-func-entry-exit=0 and linked
// with this file in place of libtsan: it has the functions that the compiler then calls at each
// access.
//
// What orders two threads of a block: its barrier, which starts a new epoch; __syncwarp of the
// whole warp, which raises `synced` of each lane; and named barriers and mbarriers, by vector
// clocks. A clock of a thread counts what it has released; what a thread knows of another is a row
// of `known`, and an access is ordered when its clock is below that. Threads of different blocks
// are never ordered in one launch. Readers of a byte are kept by warp and clock, so that many cost
// little.
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "optimized/device/cuda/machine.h"
#include "optimized/device/cuda/race_report.h"
#include "optimized/device/cuda/watcher.h"

namespace assay::simt {
namespace {

using Clocks = std::vector<std::uint32_t>;  // of each thread of the block; empty: all 0

void join(Clocks& into, const Clocks& from) {
  if (into.size() < from.size()) {
    into.resize(from.size());
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    into[i] = std::max(into[i], from[i]);
  }
}

// Lanes of one warp that read at the same clock.
struct Readers {
  std::uint32_t warp, clock, lanes;
};

// What is known of one byte.
struct Cell {
  std::uint32_t written_block = 0, written_epoch = 0, written_clock = 0;
  std::uint16_t written_thread = 0;
  bool written_atomic = false, written_async = false;
  std::uint32_t read_block = 0, read_epoch = 0;
  std::uint32_t other_launch = 0;  // the last in which more than one block read it
  std::vector<Readers> readers;    // of read_block in read_epoch
};

struct Page {
  static constexpr std::size_t kBytes = 1024;
  std::array<Cell, kBytes> cells;
};

struct Barrier {
  Clocks arriving, completed;
};

class Detector : public Watcher {
 public:
  void begin_launch() override {
    ++launch_;
    first_block_ = block_ + 1;
    race_ = {};
  }
  void begin_block() override {
    ++block_;
    epoch_ = 1;
    const std::size_t threads = machine().fibers.size();
    clock_.assign(threads, 0);
    synced_.assign(threads, 0);
    fenced_.assign(threads, 0);
    fresh_.assign(threads, false);
    known_.resize(threads);
    for (Clocks& row : known_) {
      row.clear();
    }
    barriers_.clear();
  }
  void end_launch(const char* kernel) override {
    if (!race_.what.empty()) {
      throw Failure(std::string(kernel) + ": " + spell_race(race_));
    }
  }

  void block_barrier() override { ++epoch_; }
  void warp_barrier(unsigned first, unsigned mask) override;
  void arrive(const void* object) override;
  void turn(const void* object) override;
  void pass(const void* object) override;
  void touch(const void* address, std::size_t bytes, bool write, Proxy proxy) override {
    access(address, bytes, write, false, nullptr, proxy);
  }
  void proxy_fence() override {
    const unsigned me = machine().now->number;
    fenced_[me] = ++clock_[me];
  }

  void access(const void* address, std::size_t bytes, bool write, bool atomic, const void* pc,
              Proxy proxy = Proxy::kGeneric);

 private:
  struct Access {
    unsigned thread;
    bool shared, write, atomic, async;
    const void* pc;
  };

  void publish(unsigned thread, Clocks& clocks);
  bool ordered(unsigned me, unsigned other, std::uint32_t clock) const;
  bool write_ordered(const Cell& cell, const Access& by) const;
  bool unfenced(const Cell& cell, const Access& by) const;
  int unordered_reader(const Cell& cell, const Access& by) const;
  void look(Cell& cell, const Access& by);
  void note(Cell& cell, const Access& by);
  void say(const Access& by, const char* before, int thread, std::uint32_t block);
  Cell& cell_of(std::uintptr_t address);

  std::uint32_t launch_ = 0, block_ = 0, first_block_ = 1, epoch_ = 1;
  Clocks clock_, synced_;      // synced: clocks below it are known to the whole warp
  Clocks fenced_;              // what was written below them is there for the asynchronous proxy
  std::vector<bool> fresh_;    // learned something since the last sync of its warp
  std::vector<Clocks> known_;  // what each thread knows of the others
  std::unordered_map<const void*, Barrier> barriers_;
  std::unordered_map<std::uintptr_t, std::unique_ptr<Page>> pages_;
  std::uintptr_t last_number_ = 0;
  Page* last_page_ = nullptr;
  Race race_;
};

// What the thread did and what it knows, its warp's last sync included.
void Detector::publish(unsigned thread, Clocks& clocks) {
  if (clocks.size() < clock_.size()) {
    clocks.resize(clock_.size());
  }
  join(clocks, known_[thread]);
  const std::size_t first = thread / kLanes * kLanes;
  for (std::size_t t = first; t < first + kLanes && t < clock_.size(); ++t) {
    clocks[t] = std::max(clocks[t], synced_[t]);
  }
  clocks[thread] = std::max(clocks[thread], clock_[thread] + 1);
}

void Detector::warp_barrier(unsigned first, unsigned mask) {
  const unsigned live = machine().warps[first / kLanes].live;
  bool learned = false;
  for (unsigned lanes = mask; lanes != 0; lanes &= lanes - 1) {
    const unsigned t = first + static_cast<unsigned>(std::countr_zero(lanes));
    learned = learned || fresh_[t];
  }
  Clocks all;
  if (learned || mask != live) {
    for (unsigned lanes = mask; lanes != 0; lanes &= lanes - 1) {
      publish(first + static_cast<unsigned>(std::countr_zero(lanes)), all);
    }
  }
  for (unsigned lanes = mask; lanes != 0; lanes &= lanes - 1) {
    const unsigned t = first + static_cast<unsigned>(std::countr_zero(lanes));
    ++clock_[t];
    if (!all.empty()) {
      known_[t] = all;
    }
    if (mask == live) {
      synced_[t] = clock_[t];
      fresh_[t] = false;
    }
  }
}

void Detector::arrive(const void* object) {
  const unsigned me = machine().now->number;
  publish(me, barriers_[object].arriving);
  ++clock_[me];
}

void Detector::turn(const void* object) {
  Barrier& barrier = barriers_[object];
  barrier.completed = std::move(barrier.arriving);
  barrier.arriving.clear();
}

void Detector::pass(const void* object) {
  const unsigned me = machine().now->number;
  join(known_[me], barriers_[object].completed);
  fresh_[me] = true;
}

bool Detector::ordered(unsigned me, unsigned other, std::uint32_t clock) const {
  if (other == me || (other / kLanes == me / kLanes && clock < synced_[other])) {
    return true;
  }
  return other < known_[me].size() && clock < known_[me][other];
}

bool Detector::write_ordered(const Cell& cell, const Access& by) const {
  if (cell.written_block < first_block_ || (by.atomic && cell.written_atomic)) {
    return true;
  }
  if (cell.written_block != block_) {
    return by.shared;  // of another block this is another cell
  }
  return cell.written_epoch != epoch_ ||
         ordered(by.thread, cell.written_thread, cell.written_clock);
}

// Shared memory that a thread wrote and did not fence, met by TMA or WGMMA.
bool Detector::unfenced(const Cell& cell, const Access& by) const {
  return by.async && by.shared && cell.written_block == block_ && !cell.written_async &&
         cell.written_clock >= fenced_[cell.written_thread];
}

// A thread that read the cell and that nothing orders before a write; -1: none. Of another block:
// its first thread.
int Detector::unordered_reader(const Cell& cell, const Access& by) const {
  if (!by.shared && cell.read_block >= first_block_ &&
      (cell.read_block != block_ || cell.other_launch == launch_)) {
    return 0;
  }
  if (cell.read_block != block_ || cell.read_epoch != epoch_) {
    return -1;
  }
  for (const Readers& readers : cell.readers) {
    for (unsigned lanes = readers.lanes; lanes != 0; lanes &= lanes - 1) {
      const unsigned t = readers.warp * kLanes + static_cast<unsigned>(std::countr_zero(lanes));
      if (!ordered(by.thread, t, readers.clock)) {
        return static_cast<int>(t);
      }
    }
  }
  return -1;
}

void Detector::say(const Access& by, const char* before, int thread, std::uint32_t block) {
  race_.what = std::string("race on ") + (by.shared ? "shared" : "global") +
               " memory: " + (by.write ? "write" : "read") + " by block " +
               std::to_string(machine().block_number) + " thread " + std::to_string(by.thread) +
               ", after a " + before + " by " +
               (block == block_ ? "thread " + std::to_string(thread) + " of the same block"
                                : std::string("another block")) +
               ", no barrier between";
  race_.pc = by.pc;
}

void Detector::look(Cell& cell, const Access& by) {
  if (!write_ordered(cell, by)) {
    say(by, "write", cell.written_thread, cell.written_block);
  } else if (unfenced(cell, by)) {
    race_.what = "missing fence_for_async: thread " + std::to_string(cell.written_thread) +
                 " of block " + std::to_string(machine().block_number) +
                 " wrote shared memory that TMA or WGMMA then " + (by.write ? "writes" : "reads");
    race_.pc = by.pc;
  } else if (by.write && !by.atomic) {
    if (const int reader = unordered_reader(cell, by); reader >= 0) {
      say(by, "read", reader, cell.other_launch == launch_ ? 0 : cell.read_block);
    }
  } else if (!by.write && by.shared && cell.written_block != block_) {
    race_.what = "read of shared memory that was never written: block " +
                 std::to_string(machine().block_number) + " thread " + std::to_string(by.thread);
    race_.pc = by.pc;
  }
}

void Detector::note(Cell& cell, const Access& by) {
  const std::uint32_t clock = clock_[by.thread];
  if (by.write) {
    cell.written_block = block_;
    cell.written_epoch = epoch_;
    cell.written_clock = clock;
    cell.written_thread = static_cast<std::uint16_t>(by.thread);
    cell.written_atomic = by.atomic;
    cell.written_async = by.async;
    return;
  }
  if (cell.read_block != block_ || cell.read_epoch != epoch_) {
    if (cell.read_block != block_ && cell.read_block >= first_block_) {
      cell.other_launch = launch_;
    }
    cell.read_block = block_;
    cell.read_epoch = epoch_;
    cell.readers.clear();
  }
  const std::uint32_t warp = by.thread / kLanes, lane = 1u << by.thread % kLanes;
  for (Readers& readers : cell.readers) {
    if (readers.warp == warp && readers.clock == clock) {
      readers.lanes |= lane;
      return;
    }
  }
  for (Readers& readers : cell.readers) {  // an earlier read of the same thread alone
    if (readers.warp == warp && readers.lanes == lane) {
      readers.clock = clock;
      return;
    }
  }
  cell.readers.push_back({warp, clock, lane});
}

Cell& Detector::cell_of(std::uintptr_t address) {
  const std::uintptr_t number = address / Page::kBytes;
  if (number != last_number_ || last_page_ == nullptr) {
    auto& page = pages_[number];
    if (page == nullptr) {
      page = std::make_unique<Page>();
    }
    last_number_ = number;
    last_page_ = page.get();
  }
  return last_page_->cells[address % Page::kBytes];
}

void Detector::access(const void* address, std::size_t bytes, bool write, bool atomic,
                      const void* pc, Proxy proxy) {
  const Machine& m = machine();
  if (m.now == nullptr || m.stacks.contains(address)) {
    return;
  }
  const auto a = reinterpret_cast<std::uintptr_t>(address);
  const auto own = reinterpret_cast<std::uintptr_t>(&index);
  if (a >= own && a < own + sizeof index) {
    return;
  }
  const Access by{m.now->number, in_shared_memory(address), write,
                  atomic,        proxy == Proxy::kAsync,    pc};
  for (std::size_t i = 0; i < bytes; ++i) {
    Cell& cell = cell_of(a + i);
    if (race_.what.empty()) {
      look(cell, by);
    }
    note(cell, by);
  }
}

Detector& detector() {
  static Detector instance;
  return instance;
}

// Whoever is linked with this file is watched.
const bool kWatching = [] {
  watcher = &detector();
  return true;
}();

}  // namespace
}  // namespace assay::simt

namespace {

void on_access(const volatile void* address, std::size_t bytes, bool write, bool atomic,
               const void* pc) {
  assay::simt::detector().access(const_cast<const void*>(address), bytes, write, atomic, pc);
}

}  // namespace

// NOLINTBEGIN: names are the compiler's
#define ASSAY_HOOKS(n)                                          \
  void __tsan_read##n(void* p) {                                \
    on_access(p, n, false, false, __builtin_return_address(0)); \
  }                                                             \
  void __tsan_write##n(void* p) {                               \
    on_access(p, n, true, false, __builtin_return_address(0));  \
  }                                                             \
  void __tsan_unaligned_read##n(void* p) {                      \
    on_access(p, n, false, false, __builtin_return_address(0)); \
  }                                                             \
  void __tsan_unaligned_write##n(void* p) {                     \
    on_access(p, n, true, false, __builtin_return_address(0));  \
  }
extern "C" {
ASSAY_HOOKS(1)
ASSAY_HOOKS(2)
ASSAY_HOOKS(4)
ASSAY_HOOKS(8)
ASSAY_HOOKS(16)
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_read_range(void* p, unsigned long n) {
  on_access(p, n, false, false, __builtin_return_address(0));
}
void __tsan_write_range(void* p, unsigned long n) {
  on_access(p, n, true, false, __builtin_return_address(0));
}
unsigned __tsan_atomic32_fetch_add(volatile unsigned* p, unsigned v, int) {
  on_access(p, 4, true, true, __builtin_return_address(0));
  return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}
unsigned long __tsan_atomic64_fetch_add(volatile unsigned long* p, unsigned long v, int) {
  on_access(p, 8, true, true, __builtin_return_address(0));
  return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}
unsigned __tsan_atomic32_load(const volatile unsigned* p, int) {
  on_access(p, 4, true, true, __builtin_return_address(0));
  return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}
int __tsan_atomic32_compare_exchange_weak(volatile unsigned* p, unsigned* e, unsigned v, int, int) {
  on_access(p, 4, true, true, __builtin_return_address(0));
  return __atomic_compare_exchange_n(p, e, v, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
int __tsan_atomic32_compare_exchange_strong(volatile unsigned* p, unsigned* e, unsigned v, int,
                                            int) {
  on_access(p, 4, true, true, __builtin_return_address(0));
  return __atomic_compare_exchange_n(p, e, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
}
// NOLINTEND
