// SPDX-License-Identifier: Apache-2.0
// The state of the executor between its parts: scheduler, warp operations, shared memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "optimized/device/cuda/executor.h"
#include "optimized/device/cuda/fiber_switch.h"

namespace assay::simt {

inline constexpr unsigned kLanes = 32;

enum class State : unsigned char { kReady, kBlockBarrier, kNamedBarrier, kWarp, kPoll, kDone };

struct Fiber {
  Context context;
  uint3 thread;
  unsigned number = 0;  // within the block
  State state = State::kReady;
  const char* where = "";
  int held = -1;         // the result buffer of its warp that it may still read
  unsigned barrier = 0;  // kNamedBarrier: which
  bool predicate = false;
  bool (*poll)(Fiber&) = nullptr;  // kPoll: may it go on?
  void* polled = nullptr;
  unsigned polled_parity = 0;
};

// Lanes that wait for one another.
struct Group {
  unsigned mask = 0, arrived = 0;
  const char* where = "";
  int result = 0;
};

struct Warp {
  static constexpr int kResults = 64;  // a lane holds one, and gives to another
  std::array<std::array<std::uint64_t, kLanes>, kResults> results;
  std::array<unsigned char, kResults> readers{};
  std::vector<Group> groups;
  unsigned live = 0;  // lanes that have not ended
};

struct NamedBarrier {
  unsigned expected = 0, arrived = 0;
};

struct Machine {
  Context scheduler;
  // The warp that runs: its lanes in the order of this round, and the first that has not had a
  // turn.
  const std::vector<unsigned>* lanes = nullptr;
  unsigned first_thread = 0, turn = 0;
  bool from_scheduler = true;  // the last switch to a lane
  Stacks stacks;
  std::vector<Fiber> fibers;
  std::vector<Warp> warps;
  std::array<NamedBarrier, 16> named{};
  Fiber* now = nullptr;
  const std::function<void()>* body = nullptr;
  const char* kernel = "";
  unsigned block_number = 0, waiting = 0, done = 0;
  int predicate_count = 0;
  std::string failure;
};

Machine& make_machine();
extern SIMT_THREAD_LOCAL Machine* this_machine;
inline Machine& machine() {
  return this_machine != nullptr ? *this_machine : make_machine();
}

// Gives the processor to the next lane of the warp, or back to the scheduler; throws when the
// launch has failed meanwhile.
void leave();
std::string spell(const Fiber& fiber);

// Shared memory of the block that runs (shared_memory.cc).
void begin_shared_memory(std::size_t dynamic_bytes);
void begin_block_memory();
void check_guards();
// Asynchronous copies and products (async.cc): none is left from the block before; none may be
// left.
void begin_async();
void end_async();
void begin_hopper();  // hopper_host.cc, the same
void end_hopper();
std::string shared_name(const void* address);  // of an array and where in it
bool in_shared_memory(const void* address);
// An 18-bit address as the instructions of a device have it, and back.
unsigned shared_offset(const void* address);
unsigned char* shared_at(unsigned offset);

}  // namespace assay::simt
