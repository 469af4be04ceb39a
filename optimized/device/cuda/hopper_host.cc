// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/cuda/hopper_host.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "optimized/device/cuda/machine.h"
#include "optimized/device/cuda/tensor_core.h"
#include "optimized/device/cuda/watcher.h"
#include "optimized/device/cuda/wgmma.h"

namespace assay::simt {
namespace {

constexpr unsigned kAll = 0xffffffffu;
constexpr unsigned kRowBytes = 128;  // of a tile: 64 bf16

struct TileCopy {
  unsigned to;
  HostTensorMap map;
  int column, row;
};

struct MbarrierState {
  unsigned arrivals = 0, pending = 0;
  std::int64_t bytes = 0;  // announced and not landed
  unsigned phase = 0;
  std::vector<TileCopy> copies;
};

struct Product {
  float* d;
  HostProduct how;
  std::size_t group;
};

struct Products {
  std::vector<Product> queue;
  std::size_t committed = 0;  // groups
};

thread_local std::unordered_map<const void*, MbarrierState> mbarriers;
thread_local std::vector<Products> products;  // of each thread

unsigned swizzled(unsigned offset) {
  return offset ^ (offset >> 7 & 7u) << 4;
}

MbarrierState& known(const Mbarrier* barrier) {
  const auto found = mbarriers.find(barrier);
  if (found == mbarriers.end()) {
    fail_here("an mbarrier that was never initialised: " + shared_name(barrier));
  }
  return found->second;
}

void turn_if_over(const Mbarrier* barrier, MbarrierState& state) {
  if (state.pending == 0 && state.bytes == 0) {
    ++state.phase;
    state.pending = state.arrivals;
    if (watcher != nullptr) {
      watcher->turn(barrier);
    }
  }
}

void land(const TileCopy& copy) {
  for (unsigned r = 0; r < copy.map.box_rows; ++r) {
    for (unsigned c = 0; c < kRowBytes / 2; ++c) {
      const std::int64_t row = std::int64_t{copy.row} + r, column = std::int64_t{copy.column} + c;
      const bool inside = row >= 0 && row < std::int64_t{copy.map.rows} && column >= 0 &&
                          column < std::int64_t{copy.map.columns};
      const std::uint16_t value =
          inside ? copy.map.base[row * std::int64_t{copy.map.row_stride} + column]
                 : std::uint16_t{0};
      std::memcpy(shared_at(swizzled(copy.to + r * kRowBytes + c * 2)), &value, 2);
    }
  }
}

// Somebody waits: now the copies land. True when the phase of this parity is over.
bool phase_over(const Mbarrier* barrier, unsigned parity) {
  MbarrierState& state = known(barrier);
  if ((state.phase & 1u) != parity) {
    return true;
  }
  for (const TileCopy& copy : state.copies) {
    land(copy);
    state.bytes -= std::int64_t{copy.map.box_rows} * kRowBytes;
  }
  const bool landed = !state.copies.empty();
  state.copies.clear();
  if (landed) {
    turn_if_over(barrier, state);
  }
  return (state.phase & 1u) != parity;
}

using Operand = std::uint16_t[256][16];  // rows of A or columns of B, along K

struct Tile {
  unsigned start, leading, eight_rows;  // bytes
};
Tile tile_of(Descriptor descriptor) {
  if (descriptor >> 62 != 1) {
    fail_here("wgmma: got another layout than the 128-byte swizzle");
  }
  const auto bytes = [&](int at) { return static_cast<unsigned>(descriptor >> at & 0x3fffu) << 4; };
  return {bytes(0), bytes(16), bytes(32)};
}

void read_chunk(unsigned at, std::uint16_t (&to)[8]) {
  const unsigned char* chunk = shared_at(swizzled(at));
  std::memcpy(to, chunk, sizeof to);
  if (watcher != nullptr) {
    watcher->touch(chunk, sizeof to, false, Proxy::kAsync);
  }
}

void read_operand(Descriptor descriptor, unsigned first, unsigned count, Operand& to) {
  const Tile tile = tile_of(descriptor);
  for (unsigned r = 0; r < count; ++r) {
    const unsigned row = first + r;
    for (unsigned half = 0; half < 2; ++half) {
      std::uint16_t chunk[8];
      read_chunk(tile.start + row / 8 * tile.eight_rows + row % 8 * kRowBytes + half * 16, chunk);
      std::memcpy(&to[r][8 * half], chunk, sizeof chunk);
    }
  }
}

void read_transposed(Descriptor descriptor, unsigned columns, Operand& to) {
  const Tile tile = tile_of(descriptor);
  for (unsigned k = 0; k < 16; ++k) {
    for (unsigned n = 0; n < columns; n += 8) {
      std::uint16_t chunk[8];
      read_chunk(tile.start + n / 64 * tile.leading + n % 64 * 2 + k / 8 * tile.eight_rows +
                     k % 8 * kRowBytes,
                 chunk);
      for (unsigned i = 0; i < 8; ++i) {
        to[n + i][k] = chunk[i];
      }
    }
  }
}

// Two numbers of each register of the lane, as mma.h has them.
void read_registers(const unsigned* registers, unsigned lane, Operand& to) {
  for (unsigned i = 0; i < 4; ++i) {
    std::uint16_t* pair = &to[lane / 4 + 8 * (i % 2)][lane % 4 * 2 + 8 * (i / 2)];
    pair[0] = static_cast<std::uint16_t>(registers[i] & 0xffffu);
    pair[1] = static_cast<std::uint16_t>(registers[i] >> 16);
  }
}

Products* given(std::uint64_t slot) {
  return reinterpret_cast<Products*>(static_cast<std::uintptr_t>(slot));
}

bool same(const HostProduct& a, const HostProduct& b) {
  return a.a == b.a && a.b == b.b && a.columns == b.columns && a.transposed == b.transposed &&
         a.add == b.add && (a.registers == nullptr) == (b.registers == nullptr);
}

void run_product(const std::uint64_t* lanes, std::size_t which) {
  const HostProduct& first = given(lanes[0])->queue[which].how;
  Operand a, b;
  if (first.registers == nullptr) {
    read_operand(first.a, machine().now->number / kLanes % 4 * 16, 16, a);
  }
  first.transposed ? read_transposed(first.b, first.columns, b)
                   : read_operand(first.b, 0, first.columns, b);
  for (unsigned l = 0; l < kLanes; ++l) {
    const HostProduct& how = given(lanes[l])->queue[which].how;
    if (!same(how, first)) {
      fail_here("wgmma: lanes of one warp give different operands");
    }
    if (how.registers != nullptr) {
      read_registers(how.registers, l, a);
    }
  }
  for (unsigned l = 0; l < kLanes; ++l) {
    float* d = given(lanes[l])->queue[which].d;
    for (unsigned i = 0; i < first.columns / 2; ++i) {
      const unsigned row = l / 4 + 8 * (i % 4 / 2), column = i / 4 * 8 + l % 4 * 2 + i % 2;
      d[i] = tensor_core_sum(TensorCore::kHopper, a[row], b[column], first.add ? d[i] : 0.0F);
    }
  }
}

// All that every lane may run: groups are counted alike in all lanes.
thread_local std::size_t groups_to_run = 0;
void run_products(const std::uint64_t* lanes) {
  const std::size_t count = given(lanes[0])->queue.size();
  for (unsigned l = 0; l < kLanes; ++l) {
    if (given(lanes[l])->queue.size() != count) {
      fail_here("wgmma: lanes of one warp gave different numbers of products");
    }
  }
  for (std::size_t i = 0; i < count && given(lanes[0])->queue[i].group < groups_to_run; ++i) {
    run_product(lanes, i);
  }
}

}  // namespace

void begin_hopper() {
  mbarriers.clear();
  products.resize(machine().fibers.size());
  for (Products& each : products) {
    each.queue.clear();
    each.committed = 0;
  }
}

void end_hopper() {
  for (const auto& [barrier, state] : mbarriers) {
    if (!state.copies.empty()) {
      throw Failure("a bulk copy to " + shared_name(barrier) + " that nobody waited for");
    }
  }
  for (std::size_t t = 0; t < products.size(); ++t) {
    if (!products[t].queue.empty()) {
      throw Failure("thread " + std::to_string(t) + " ends and has not waited for its products");
    }
  }
}

TensorMap make_tensor_map(const void* base, unsigned rows, unsigned columns, unsigned row_stride,
                          unsigned box_rows) {
  return {static_cast<const std::uint16_t*>(base), rows, columns, row_stride, box_rows};
}

void host_mbarrier_init(Mbarrier* barrier, unsigned arrivals) {
  (void)shared_offset(barrier);
  mbarriers[barrier] = {arrivals, arrivals, 0, 0, {}};
}

void host_mbarrier_arrive(Mbarrier* barrier, unsigned bytes) {
  MbarrierState& state = known(barrier);
  if (state.pending == 0) {
    fail_here(shared_name(barrier) + " gets more than the " + std::to_string(state.arrivals) +
              " arrivals that it was made for");
  }
  if (watcher != nullptr) {
    watcher->arrive(barrier);
  }
  state.bytes += bytes;
  --state.pending;
  turn_if_over(barrier, state);
}

void host_mbarrier_wait(Mbarrier* barrier, unsigned parity) {
  Fiber& fiber = *machine().now;
  fiber.where = "mbarrier_wait";
  while (!phase_over(barrier, parity)) {
    fiber.polled = barrier;
    fiber.polled_parity = parity;
    fiber.poll = [](Fiber& f) {
      return phase_over(static_cast<const Mbarrier*>(f.polled), f.polled_parity);
    };
    fiber.state = State::kPoll;
    leave();
  }
  if (watcher != nullptr) {
    watcher->pass(barrier);
  }
}

void host_load_tile(void* to, const HostTensorMap* map, Mbarrier* barrier, int column, int row) {
  const unsigned at = shared_offset(to);
  if (at % 1024 != 0) {
    fail_here("a bulk copy to shared address " + std::to_string(at) +
              ", expected a multiple of 1024 for the swizzle");
  }
  (void)shared_at(at + map->box_rows * kRowBytes - 1);
  if (watcher != nullptr) {
    watcher->touch(to, std::size_t{map->box_rows} * kRowBytes, true, Proxy::kAsync);
    watcher->arrive(barrier);
  }
  known(barrier).copies.push_back({at, *map, column, row});
}

void host_fence_for_async() {
  if (watcher != nullptr) {
    watcher->proxy_fence();
  }
}

void host_wgmma(float* d, const HostProduct& product) {
  Products& mine = products[machine().now->number];
  mine.queue.push_back({d, product, mine.committed});
}

void host_wgmma_commit() {
  ++products[machine().now->number].committed;
}

void host_wgmma_wait(unsigned groups_left) {
  Products& mine = products[machine().now->number];
  groups_to_run = mine.committed > groups_left ? mine.committed - groups_left : 0;
  const std::size_t until = groups_to_run;
  warp_exchange(kAll, reinterpret_cast<std::uintptr_t>(&mine), "wgmma_wait", Memory::kOrdered,
                run_products);
  std::erase_if(mine.queue, [&](const Product& product) { return product.group < until; });
}

}  // namespace assay::simt
