// SPDX-License-Identifier: Apache-2.0
// A team of threads that runs one function at a time, the caller among them.
//
// A region costs a tenth of a microsecond while the workers spin; they spin for about 100 us after
// the last one and then sleep, so that a step of decoding, some hundred regions of 10 to 1000 us,
// finds them awake, and an idle program costs nothing. Work is split by index, never by which
// thread comes first, so that results do not depend on the number of threads.
//
// Each thread is pinned to one of the CPUs that the process may use. The caller is pinned while a
// team exists and gets its own mask back afterwards.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace assay::cpu {

class Threads {
 public:
  explicit Threads(int count);  // at least 1; 0: one for each core that the process may use
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads();

  int count() const { return count_; }

  // work(thread, threads) on every thread; returns when all are done. It must not throw.
  template <class Work>
  void run(Work&& work) const {
    using Callable = std::remove_reference_t<Work>;
    start([](void* context, int thread,
             int threads) { (*static_cast<Callable*>(context))(thread, threads); },
          const_cast<void*>(static_cast<const void*>(&work)));
  }

  // work(first, end) over [0, count) in as many pieces as there are threads, each a multiple of
  // `grain` long but the last.
  template <class Work>
  void split(std::size_t count, std::size_t grain, Work&& work) const {
    const std::size_t grains = (count + grain - 1) / grain;
    if (grains <= 1) {
      if (count > 0) {
        work(std::size_t{0}, count);
      }
      return;
    }
    run([&](int thread, int threads) {
      const auto t = static_cast<std::size_t>(thread);
      const auto n = static_cast<std::size_t>(threads);
      const std::size_t first = grains * t / n * grain;
      const std::size_t end = grains * (t + 1) / n * grain;
      if (first < end && first < count) {
        work(first, end < count ? end : count);
      }
    });
  }

 private:
  using Function = void (*)(void* context, int thread, int threads);
  void start(Function function, void* context) const;

  struct Team;
  int count_;
  std::unique_ptr<Team> team_;
};

// The CPUs that this process may run on.
int usable_cpus();

}  // namespace assay::cpu
