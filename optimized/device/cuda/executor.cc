// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/cuda/executor.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <utility>

#include "optimized/device/cuda/machine.h"
#include "optimized/device/cuda/watcher.h"

namespace assay::simt {

SIMT_THREAD_LOCAL Settings settings;
SIMT_THREAD_LOCAL Counters counters;
SIMT_THREAD_LOCAL Index index;
SIMT_THREAD_LOCAL Machine* this_machine = nullptr;
constinit Watcher* watcher = nullptr;

Machine& make_machine() {
  static thread_local std::unique_ptr<Machine> owner;
  owner = std::make_unique<Machine>();
  this_machine = owner.get();
  return *this_machine;
}

namespace {

// Numbers in the order that the settings ask for; arranged anew whenever they are used.
class Arranged {
 public:
  Arranged(unsigned count, std::mt19937_64& random) : numbers_(count), random_(random) {
    std::iota(numbers_.begin(), numbers_.end(), 0u);
    if (settings.order == Order::kReverse) {
      std::reverse(numbers_.begin(), numbers_.end());
    }
  }
  const std::vector<unsigned>& again() {
    if (settings.order == Order::kShuffled) {
      std::shuffle(numbers_.begin(), numbers_.end(), random_);
    }
    return numbers_;
  }

 private:
  std::vector<unsigned> numbers_;
  std::mt19937_64& random_;
};

struct Orders {
  Arranged blocks, warps, lanes;
};

void set_now(Machine& m, Fiber& fiber) {
  ++counters.switches;
  m.now = &fiber;
  index.thread = fiber.thread;
  index.lane = fiber.number % kLanes;
}

void enter(Machine& m, Fiber& fiber) {
  set_now(m, fiber);
  m.from_scheduler = true;
  switch_context(m.scheduler, fiber.context);
  m.now = nullptr;
}

// Who runs after this lane: the next of its warp that can, without a detour by the scheduler; the
// scheduler at the end of a round, where a lane has to be asked whether it can go on, and after a
// failure.
Context& next_context(Machine& m) {
  while (m.failure.empty() && m.turn < m.lanes->size()) {
    const unsigned t = m.first_thread + (*m.lanes)[m.turn];
    if (t < m.fibers.size()) {
      Fiber& fiber = m.fibers[t];
      if (fiber.state == State::kPoll) {
        break;
      }
      if (fiber.state == State::kReady) {
        ++m.turn;
        set_now(m, fiber);
        m.from_scheduler = false;
        return fiber.context;
      }
    }
    ++m.turn;
  }
  return m.scheduler;
}

void fiber_main() {
  Machine& m = machine();
  Context another;
  arrive_first(m.from_scheduler ? m.scheduler : another);
  Fiber& fiber = *m.now;
  try {
    if (m.failure.empty()) {
      (*m.body)();
    }
  } catch (const std::exception& error) {
    if (m.failure.empty()) {
      m.failure = error.what();
    }
  }
  fiber.state = State::kDone;
  fiber.where = "its end";
  ++m.done;
  m.warps[fiber.number / kLanes].live &= ~(1u << fiber.number % kLanes);
  leave_forever(fiber.context, next_context(m));
}

// Unwinds every fiber, so that destructors run and no stack is left half-used; then throws.
[[noreturn]] void abandon(Machine& m, std::string message) {
  m.failure = std::move(message);
  for (Fiber& fiber : m.fibers) {
    while (fiber.state != State::kDone) {
      enter(m, fiber);
    }
  }
  m.body = nullptr;
  throw Failure(std::string(m.kernel) + ": " + m.failure);
}

void begin_block(Machine& m, dim3 block, dim3 grid, unsigned number) {
  const auto threads = static_cast<unsigned>(m.fibers.size());
  ++counters.blocks;
  counters.threads += threads;
  m.block_number = number;
  m.waiting = m.done = 0;
  m.named = {};
  index.block = {number % grid.x, number / grid.x % grid.y, number / grid.x / grid.y};
  begin_block_memory();
  begin_async();
  begin_hopper();
  if (watcher != nullptr) {
    watcher->begin_block();
  }
  for (Warp& warp : m.warps) {
    warp.readers.fill(0);
    warp.groups.clear();
  }
  for (unsigned t = 0; t < threads; ++t) {
    Fiber& fiber = m.fibers[t];
    fiber.thread = {t % block.x, t / block.x % block.y, t / block.x / block.y};
    fiber.number = t;
    fiber.state = State::kReady;
    fiber.where = "its start";
    fiber.held = -1;
    fiber.polled = nullptr;
    fiber.context.stack = m.stacks.at(t);
    prepare(fiber.context, fiber_main);
    m.warps[t / kLanes].live |= 1u << t % kLanes;
  }
}

// Lanes of one warp, until none can go on.
bool run_warp(Machine& m, unsigned warp, Arranged& lanes) {
  bool moved = false;
  m.first_thread = warp * kLanes;
  for (bool again = true; again;) {
    again = false;
    m.lanes = &lanes.again();
    for (m.turn = 0; m.turn < kLanes;) {
      const unsigned t = m.first_thread + (*m.lanes)[m.turn++];
      if (t >= m.fibers.size()) {
        continue;
      }
      Fiber& fiber = m.fibers[t];
      if (fiber.state == State::kPoll && fiber.poll(fiber)) {
        fiber.state = State::kReady;
      }
      if (fiber.state == State::kReady) {
        enter(m, fiber);
        again = moved = true;
        if (!m.failure.empty()) {
          abandon(m, m.failure);
        }
      }
    }
  }
  return moved;
}

// Lets the block pass its barrier when all threads wait there.
bool release_block(Machine& m) {
  if (m.waiting == 0 || m.waiting + m.done != m.fibers.size()) {
    return false;
  }
  if (settings.strict_exit && m.done > 0) {
    abandon(m, "a barrier waits although " + std::to_string(m.done) + " threads have ended");
  }
  const char* where = nullptr;
  m.predicate_count = 0;
  for (Fiber& fiber : m.fibers) {
    if (fiber.state != State::kBlockBarrier) {
      continue;
    }
    if (where != nullptr && where != fiber.where && std::string_view(where) != fiber.where) {
      abandon(m, std::string("threads of one block wait at different barriers: ") + where +
                     " and " + fiber.where);
    }
    where = fiber.where;
    fiber.state = State::kReady;
    m.predicate_count += fiber.predicate;
  }
  m.waiting = 0;
  ++counters.barriers;
  if (watcher != nullptr) {
    watcher->block_barrier();
  }
  return true;
}

[[noreturn]] void report_deadlock(Machine& m) {
  constexpr std::size_t kShown = 8;
  std::string text = "deadlock:";
  std::set<std::string> places;  // one thread for each
  for (const Fiber& fiber : m.fibers) {
    const std::string place =
        fiber.where + (fiber.polled != nullptr ? shared_name(fiber.polled) : "");
    if (fiber.state != State::kDone && places.size() < kShown && places.insert(place).second) {
      text += " " + spell(fiber) + ";";
    }
  }
  abandon(m, text);
}

void run_block(Machine& m, Orders& orders) {
  while (m.done < m.fibers.size()) {
    bool moved = false;
    for (const unsigned warp : orders.warps.again()) {
      moved = run_warp(m, warp, orders.lanes) || moved;
    }
    moved = release_block(m) || moved;
    if (!moved) {
      report_deadlock(m);
    }
  }
}

void check_launch(const char* name, dim3 grid, dim3 block, std::size_t shared) {
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  const auto refuse = [&](const std::string& text) {
    throw Failure(std::string(name) + ": " + text);
  };
  if (threads == 0 || threads > kMaxThreads) {
    refuse("got a block of " + std::to_string(threads) + " threads, expected 1 to 1024");
  }
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffffu || grid.y > 0xffffu ||
      grid.z > 0xffffu) {
    refuse("got a grid of " + std::to_string(grid.x) + " x " + std::to_string(grid.y) + " x " +
           std::to_string(grid.z) + " blocks, expected 1 to 2147483647 x 65535 x 65535");
  }
  if (shared > kMaxDynamicShared) {
    refuse("got " + std::to_string(shared) + " bytes of dynamic shared memory, expected at most " +
           std::to_string(kMaxDynamicShared));
  }
}

}  // namespace

void leave() {
  Machine& m = machine();
  Context& mine = m.now->context;
  switch_context(mine, next_context(m));
  if (!m.failure.empty()) {
    throw Failure(m.failure);
  }
}

std::string spell(const Fiber& fiber) {
  std::string text = "block " + std::to_string(machine().block_number) + " thread " +
                     std::to_string(fiber.number) + " at " + fiber.where;
  return fiber.state == State::kPoll ? text + " for " + shared_name(fiber.polled) : text;
}

void fail(const std::string& message) {
  machine().failure = message;
  throw Failure(message);
}

void fail_here(const std::string& message) {
  const Machine& m = machine();
  fail(m.now != nullptr ? spell(*m.now) + ": " + message : message);
}

void sync_threads(const char* where) {
  (void)sync_threads_count(where, false);
}

int sync_threads_count(const char* where, bool predicate) {
  Machine& m = machine();
  m.now->state = State::kBlockBarrier;
  m.now->where = where;
  m.now->predicate = predicate;
  ++m.waiting;
  leave();
  return m.predicate_count;
}

void run(const char* name, dim3 grid, dim3 block, std::size_t shared,
         const std::function<void()>& body) {
  check_launch(name, grid, block, shared);
  Machine& m = machine();
  if (m.body != nullptr) {
    throw Failure(std::string(name) + ": launched from inside " + m.kernel);
  }
  const unsigned threads = block.x * block.y * block.z;
  const unsigned warps = (threads + kLanes - 1) / kLanes;
  m.stacks.reserve(threads);
  m.fibers.resize(threads);
  m.warps.resize(warps);
  for (Warp& warp : m.warps) {
    warp.live = 0;
  }
  m.body = &body;
  m.kernel = name;
  m.failure.clear();
  index.block_dim = block;
  index.grid_dim = grid;
  begin_shared_memory(shared);
  ++counters.launches;
  if (watcher != nullptr) {
    watcher->begin_launch();
  }
  std::mt19937_64 random(settings.seed);
  Orders orders{{grid.x * grid.y * grid.z, random}, {warps, random}, {kLanes, random}};
  const std::vector<unsigned> blocks = orders.blocks.again();
  for (const unsigned b : blocks) {
    begin_block(m, block, grid, b);
    run_block(m, orders);
    try {
      end_async();
      end_hopper();
      check_guards();
    } catch (const Failure& failure) {
      m.body = nullptr;
      throw Failure(std::string(name) + ": " + failure.what());
    }
  }
  m.body = nullptr;
  if (watcher != nullptr) {
    watcher->end_launch(name);
  }
}

}  // namespace assay::simt
