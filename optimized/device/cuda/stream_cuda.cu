// SPDX-License-Identifier: Apache-2.0
// stream.h on a device: the CUDA runtime. Only nvcc compiles it.
#include <cuda.h>
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "optimized/device/cuda/hopper.h"
#include "optimized/device/cuda/simt.h"
#include "optimized/device/cuda/stream.h"

namespace assay::simt {

void check_cuda(int status, const char* call) {
  if (status != cudaSuccess) {
    throw std::runtime_error(std::string(call) + ": " +
                             cudaGetErrorString(static_cast<cudaError_t>(status)));
  }
}

TensorMap make_tensor_map(const void* base, unsigned rows, unsigned columns, unsigned row_stride,
                          unsigned box_rows) {
  using Encode = decltype(&cuTensorMapEncodeTiled);
  static const Encode encode = [] {
    void* entry = nullptr;
    cudaDriverEntryPointQueryResult found{};
    check_cuda(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &entry, 12000,
                                                cudaEnableDefault, &found),
               "cudaGetDriverEntryPointByVersion");
    return reinterpret_cast<Encode>(entry);
  }();
  if (encode == nullptr) {
    throw std::runtime_error("cuTensorMapEncodeTiled: the driver has none");
  }
  TensorMap map{};
  const cuuint64_t sizes[2] = {columns, rows};
  const cuuint64_t strides[1] = {cuuint64_t{row_stride} * 2};
  const cuuint32_t box[2] = {64, box_rows};
  const cuuint32_t steps[2] = {1, 1};
  const CUresult status =
      encode(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, const_cast<void*>(base), sizes, strides,
             box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
             CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (status != CUDA_SUCCESS) {
    throw std::runtime_error("cuTensorMapEncodeTiled: got error " + std::to_string(status));
  }
  return map;
}

}  // namespace assay::simt

namespace assay::cuda {

using simt::check_cuda;

DeviceFacts device_facts() {
  DeviceFacts facts;
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    facts.reason = status != cudaSuccess ? cudaGetErrorString(status) : "no CUDA device";
    return facts;
  }
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  facts.name = properties.name;
  facts.multiprocessors = properties.multiProcessorCount;
  facts.memory = properties.totalGlobalMem;
  facts.major = properties.major;
  facts.minor = properties.minor;
  return facts;
}

struct Graph::State {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t runnable = nullptr;
  std::size_t size = 0;
  ~State() {
    if (runnable != nullptr) {
      cudaGraphExecDestroy(runnable);
    }
    if (graph != nullptr) {
      cudaGraphDestroy(graph);
    }
  }
};

struct Stream::State {
  cudaStream_t stream = nullptr;
};

Stream::Stream() : state_(std::make_unique<State>()) {
  check_cuda(cudaStreamCreateWithFlags(&state_->stream, cudaStreamNonBlocking), "cudaStreamCreate");
}
Stream::~Stream() {
  if (state_ != nullptr && state_->stream != nullptr) {
    cudaStreamDestroy(state_->stream);
  }
}

void Stream::submit(std::function<void()>) {
  throw std::logic_error("submit: work of a device is launched, not submitted");
}

void Stream::upload(void* to, const void* from, std::size_t bytes) {
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, state_->stream), "upload");
}
void Stream::download(void* to, const void* from, std::size_t bytes) {
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, state_->stream), "download");
}
void Stream::copy(void* to, const void* from, std::size_t bytes) {
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, state_->stream), "copy");
}
void Stream::fill(void* to, unsigned char value, std::size_t bytes) {
  check_cuda(cudaMemsetAsync(to, value, bytes, state_->stream), "fill");
}
void Stream::synchronize() {
  check_cuda(cudaStreamSynchronize(state_->stream), "synchronize");
}

Graph Stream::record(const std::function<void()>& work) {
  auto graph = std::make_unique<Graph::State>();
  check_cuda(cudaStreamBeginCapture(state_->stream, cudaStreamCaptureModeThreadLocal), "record");
  try {
    work();
  } catch (...) {
    cudaStreamEndCapture(state_->stream, &graph->graph);
    throw;
  }
  check_cuda(cudaStreamEndCapture(state_->stream, &graph->graph), "record");
  check_cuda(cudaGraphGetNodes(graph->graph, nullptr, &graph->size), "record");
  check_cuda(cudaGraphInstantiate(&graph->runnable, graph->graph, 0), "record");
  return Graph(std::move(graph));
}

void Stream::run(const Graph& graph) {
  check_cuda(cudaGraphLaunch(graph.state_->runnable, state_->stream), "run");
}

void* Stream::handle() const {
  return state_->stream;
}

Graph::Graph(std::unique_ptr<State> state) : state_(std::move(state)) {}
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;
Graph::~Graph() = default;
std::size_t Graph::size() const {
  return state_->size;
}

Memory::Memory(std::size_t bytes) : size_(bytes) {
  if (bytes > 0) {
    check_cuda(cudaMalloc(&data_, bytes), "cudaMalloc");
  }
}
Memory::~Memory() {
  if (data_ != nullptr) {
    cudaFree(data_);
  }
}

}  // namespace assay::cuda
