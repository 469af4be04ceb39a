// SPDX-License-Identifier: Apache-2.0
// Operations of a warp, and named barriers.
#include <bit>
#include <cstring>

#include "optimized/device/cuda/machine.h"
#include "optimized/device/cuda/watcher.h"

namespace assay::simt {
namespace {

// What a lane holds may be given to others once each lane that read it comes to its next operation.
void drop_held(Warp& warp, Fiber& fiber) {
  if (fiber.held >= 0) {
    --warp.readers[static_cast<std::size_t>(fiber.held)];
    fiber.held = -1;
  }
}

int free_result(Warp& warp) {
  for (int i = 0; i < Warp::kResults; ++i) {
    if (warp.readers[static_cast<std::size_t>(i)] == 0) {
      return i;
    }
  }
  fail_here("too many warp operations at once");
}

Group& group_of(Warp& warp, unsigned mask, const char* where) {
  for (Group& group : warp.groups) {
    if ((group.mask & mask) == 0) {
      continue;
    }
    const bool same_place = group.where == where || std::strcmp(group.where, where) == 0;
    if (group.mask != mask || !same_place) {
      fail_here(std::string("other lanes of its mask wait at ") + group.where);
    }
    return group;
  }
  const int result = free_result(warp);
  warp.readers[static_cast<std::size_t>(result)] = static_cast<unsigned char>(std::popcount(mask));
  warp.groups.push_back({mask, 0, where, result});
  return warp.groups.back();
}

void check_mask(unsigned mask, unsigned mine, const Warp& warp) {
  if ((mask >> mine & 1u) == 0) {
    fail_here("the mask leaves the caller out");
  }
  if ((mask & ~warp.live) != 0) {
    fail_here("the mask names lanes that have ended or never were");
  }
}

void release_named(Machine& m, unsigned id) {
  m.named[id] = {};
  ++counters.barriers;
  for (Fiber& fiber : m.fibers) {
    if (fiber.state == State::kNamedBarrier && fiber.barrier == id) {
      fiber.state = State::kReady;
    }
  }
}

// True when this arrival was the last one, and all go on.
bool arrive_at(unsigned id, unsigned threads, const char* where) {
  Machine& m = machine();
  m.now->where = where;
  if (id == 0 || id >= m.named.size()) {
    fail_here("got the named barrier " + std::to_string(id) + ", expected 1 to 15");
  }
  if (threads == 0 || threads % kLanes != 0 || threads > m.fibers.size()) {
    fail_here("got a barrier of " + std::to_string(threads) +
              " threads, expected a multiple of 32 up to the block's");
  }
  NamedBarrier& barrier = m.named[id];
  if (barrier.arrived > 0 && barrier.expected != threads) {
    fail_here("got a barrier of " + std::to_string(threads) + " threads, where others expect " +
              std::to_string(barrier.expected));
  }
  if (watcher != nullptr) {
    watcher->arrive(&barrier);
  }
  barrier.expected = threads;
  if (++barrier.arrived < threads) {
    return false;
  }
  if (watcher != nullptr) {
    watcher->turn(&barrier);
  }
  release_named(m, id);
  return true;
}

}  // namespace

const std::uint64_t* warp_exchange(unsigned mask, std::uint64_t value, const char* where,
                                   Memory memory, Collective all_here) {
  Machine& m = machine();
  Fiber& fiber = *m.now;
  Warp& warp = m.warps[fiber.number / kLanes];
  const unsigned mine = fiber.number % kLanes, first = fiber.number - mine;
  ++counters.warp_ops;
  fiber.where = where;
  check_mask(mask, mine, warp);
  drop_held(warp, fiber);
  Group& group = group_of(warp, mask, where);
  const int result = fiber.held = group.result;
  auto& values = warp.results[static_cast<std::size_t>(result)];
  values[mine] = value;
  group.arrived |= 1u << mine;
  if (group.arrived != mask) {
    fiber.state = State::kWarp;
    leave();
    return values.data();
  }
  std::swap(group, warp.groups.back());
  warp.groups.pop_back();
  if (all_here != nullptr) {
    all_here(values.data());
  }
  if (memory == Memory::kOrdered && watcher != nullptr) {
    watcher->warp_barrier(first, mask);
  }
  for (unsigned lanes = mask; lanes != 0; lanes &= lanes - 1) {
    m.fibers[first + static_cast<unsigned>(std::countr_zero(lanes))].state = State::kReady;
  }
  return values.data();
}

void named_barrier_arrive(unsigned id, unsigned threads, const char* where) {
  (void)arrive_at(id, threads, where);
}

void named_barrier_sync(unsigned id, unsigned threads, const char* where) {
  Machine& m = machine();
  if (!arrive_at(id, threads, where)) {
    m.now->state = State::kNamedBarrier;
    m.now->barrier = id;
    leave();
  }
  if (watcher != nullptr) {
    watcher->pass(&m.named[id]);
  }
}

}  // namespace assay::simt
