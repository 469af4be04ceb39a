// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/threads.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace assay::cpu {
namespace {

constexpr int kSpins = 6000;  // about 100 us

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

cpu_set_t own_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  return set;
}

std::vector<int> cpus_of(const cpu_set_t& set) {
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) {
      cpus.push_back(cpu);
    }
  }
  return cpus;
}

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

}  // namespace

struct Threads::Team {
  alignas(64) std::atomic<std::uint64_t> region{0};  // counts them
  alignas(64) std::atomic<int> busy{0};
  alignas(64) std::atomic<int> asleep{0};
  Function function = nullptr;
  void* context = nullptr;
  bool stop = false;
  cpu_set_t callers_cpus{};
  std::vector<std::thread> workers;

  void work(int thread, int threads) {
    std::uint64_t seen = 0;
    for (;;) {
      for (int spins = 0; region.load(std::memory_order_acquire) == seen;) {
        pause();
        if (++spins == kSpins) {
          asleep.fetch_add(1);
          region.wait(seen);
          asleep.fetch_sub(1);
          spins = 0;
        }
      }
      ++seen;
      if (stop) {
        return;
      }
      function(context, thread, threads);
      busy.fetch_sub(1, std::memory_order_release);
    }
  }

  void begin(int count) {
    busy.store(count, std::memory_order_relaxed);
    region.fetch_add(1);
    if (asleep.load() > 0) {
      region.notify_all();
    }
  }
};

int usable_cpus() {
  const cpu_set_t set = own_cpus();
  return CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}

Threads::Threads(int count) : count_(count > 0 ? count : usable_cpus()) {
  if (count_ == 1) {
    return;
  }
  team_ = std::make_unique<Team>();
  team_->callers_cpus = own_cpus();
  const std::vector<int> cpus = cpus_of(team_->callers_cpus);
  const bool room = static_cast<std::size_t>(count_) <= cpus.size();  // else the system decides
  for (int thread = 1; thread < count_; ++thread) {
    const int cpu = room ? cpus[static_cast<std::size_t>(thread)] : -1;
    team_->workers.emplace_back([this, thread, cpu] {
      if (cpu >= 0) {
        pin(cpu);
      }
      team_->work(thread, count_);
    });
  }
  if (room) {
    pin(cpus[0]);
  }
}

Threads::~Threads() {
  if (team_ == nullptr) {
    return;
  }
  team_->stop = true;
  team_->begin(0);
  for (std::thread& worker : team_->workers) {
    worker.join();
  }
  pthread_setaffinity_np(pthread_self(), sizeof(cpu_set_t), &team_->callers_cpus);
}

void Threads::start(Function function, void* context) const {
  if (team_ == nullptr) {
    function(context, 0, 1);
    return;
  }
  team_->function = function;
  team_->context = context;
  team_->begin(count_ - 1);
  function(context, 0, count_);
  for (int spins = 0; team_->busy.load(std::memory_order_acquire) != 0; ++spins) {
    if (spins < kSpins) {
      pause();
    } else {
      std::this_thread::yield();  // somebody waits for this core, perhaps a worker
    }
  }
}

}  // namespace assay::cpu
