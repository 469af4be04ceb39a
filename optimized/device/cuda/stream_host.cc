// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "optimized/device/cuda/executor.h"
#include "optimized/device/cuda/stream.h"

namespace assay::cuda {
namespace {

constexpr std::size_t kAlign = 256;
constexpr std::size_t kGuard = 256;  // on both sides of memory; checked when it is given back
constexpr unsigned char kPoison = 0xff;

using Work = std::function<void()>;

// Every piece of memory there is, first byte of the guard and bytes; and what was found broken.
std::map<unsigned char*, std::size_t>& pieces() {
  static std::map<unsigned char*, std::size_t> all;
  return all;
}
std::string broken;

bool intact(const unsigned char* first, std::size_t bytes) {
  const unsigned char* after = first + kGuard + bytes;
  const auto good = [](unsigned char c) { return c == kPoison; };
  return std::all_of(first, first + kGuard, good) && std::all_of(after, after + kGuard, good);
}

void check(const unsigned char* first, std::size_t bytes) {
  if (!intact(first, bytes) && broken.empty()) {
    broken = "memory of " + std::to_string(bytes) + " bytes: written outside";
  }
}

}  // namespace

struct Graph::State {
  std::vector<Work> work;
};

struct Stream::State {
  std::vector<Work>* recording = nullptr;
};

DeviceFacts device_facts() {
  DeviceFacts facts;
  facts.name = "host executor";
  facts.multiprocessors = 1;
  facts.major = 9;
  facts.is_host = true;
  return facts;
}

Stream::Stream() : state_(std::make_unique<State>()) {}
Stream::~Stream() = default;

void Stream::submit(Work work) {
  if (state_->recording != nullptr) {
    state_->recording->push_back(std::move(work));
  } else {
    work();
  }
}

void Stream::upload(void* to, const void* from, std::size_t bytes) {
  copy(to, from, bytes);
}

void Stream::download(void* to, const void* from, std::size_t bytes) {
  copy(to, from, bytes);
}

void Stream::copy(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) {
    submit([=] { std::memcpy(to, from, bytes); });
  }
}

void Stream::fill(void* to, unsigned char value, std::size_t bytes) {
  if (bytes > 0) {
    submit([=] { std::memset(to, value, bytes); });
  }
}

void Stream::synchronize() {
  if (state_->recording != nullptr) {
    throw simt::Failure("synchronize: a graph is being recorded");
  }
  for (const auto& [first, bytes] : pieces()) {
    check(first, bytes);
  }
  if (!broken.empty()) {
    throw simt::Failure(std::exchange(broken, {}));
  }
}

Graph Stream::record(const Work& work) {
  if (state_->recording != nullptr) {
    throw simt::Failure("record: a graph is being recorded already");
  }
  auto graph = std::make_unique<Graph::State>();
  state_->recording = &graph->work;
  try {
    work();
  } catch (...) {
    state_->recording = nullptr;
    throw;
  }
  state_->recording = nullptr;
  return Graph(std::move(graph));
}

void Stream::run(const Graph& graph) {
  for (const Work& work : graph.state_->work) {
    submit(work);
  }
}

void* Stream::handle() const {
  return nullptr;
}

Graph::Graph(std::unique_ptr<State> state) : state_(std::move(state)) {}
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;
Graph::~Graph() = default;

std::size_t Graph::size() const {
  return state_->work.size();
}

Memory::Memory(std::size_t bytes) : size_(bytes) {
  auto* first =
      static_cast<unsigned char*>(::operator new (bytes + 2 * kGuard, std::align_val_t{kAlign}));
  std::memset(first, kPoison, bytes + 2 * kGuard);
  pieces().emplace(first, bytes);
  data_ = first + kGuard;
}

Memory::~Memory() {
  if (data_ == nullptr) {
    return;
  }
  auto* first = static_cast<unsigned char*>(data_) - kGuard;
  check(first, size_);  // the next synchronize says so
  pieces().erase(first);
  ::operator delete (first, std::align_val_t{kAlign});
}

}  // namespace assay::cuda
