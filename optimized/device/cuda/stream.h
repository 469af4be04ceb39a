// SPDX-License-Identifier: Apache-2.0
// Memory of a device and work that is queued on it. One header, two backends: stream_host.cc, whose
// device is the executor of executor.h, and stream_cuda.cu, which only nvcc compiles. A program
// links one.
//
// Work of a stream runs in the order in which it was submitted; its results are there after
// synchronize. A Graph is work that was recorded once and runs as often as wanted, on the same
// addresses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace assay::cuda {

// What computes: "host executor", or the name of the device. Empty: there is none.
struct DeviceFacts {
  std::string name;
  std::string reason;  // why there is none
  int multiprocessors = 0;
  std::size_t memory = 0;  // bytes
  int major = 0, minor = 0;
  bool is_host = false;
};
DeviceFacts device_facts();

class Graph;

class Stream {
 public:
  Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  void upload(void* to, const void* from, std::size_t bytes);    // from the host
  void download(void* to, const void* from, std::size_t bytes);  // to the host
  void copy(void* to, const void* from, std::size_t bytes);      // within the device
  void fill(void* to, unsigned char value, std::size_t bytes);
  void synchronize();

  // What is submitted by `work` is kept and does not run.
  Graph record(const std::function<void()>& work);
  void run(const Graph& graph);

  void* handle() const;                     // cudaStream_t; of the executor: null
  void submit(std::function<void()> work);  // of the executor only

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Graph {
 public:
  Graph(Graph&&) noexcept;
  Graph& operator=(Graph&&) noexcept;
  ~Graph();
  std::size_t size() const;  // how many pieces of work

 private:
  friend class Stream;
  struct State;
  explicit Graph(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Bytes on the device, aligned to 256.
class Memory {
 public:
  Memory() = default;
  explicit Memory(std::size_t bytes);
  Memory(Memory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Memory& operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Memory();
  void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

// `count` values of one type.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t count) : memory_(count * sizeof(T)), count_(count) {}
  T* data() const { return static_cast<T*>(memory_.data()); }
  std::size_t size() const { return count_; }

 private:
  Memory memory_;
  std::size_t count_ = 0;
};

}  // namespace assay::cuda
