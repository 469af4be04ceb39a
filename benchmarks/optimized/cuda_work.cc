// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/optimized/cuda_work.h"

#include <bit>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "optimized/kernels/attention_mma_cuda.h"
#include "optimized/kernels/attention_wgmma_cuda.h"
#include "optimized/kernels/gemm_cuda.h"
#include "optimized/kernels/row_ops_cuda.h"

namespace assay::cuda {

bool small_shapes = false;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kCopyBytes = std::size_t{1} << 30;
constexpr int kGemmSize = 8192;
constexpr int kRuns = 10;
constexpr float kEps = 1e-6F;

// A size of a shape; with --small a part of it.
template <class T>
T size_of(T size, T part) {
  return small_shapes ? std::max<T>(1, size / part) : size;
}

double seconds_of(Stream& stream, const std::function<void()>& work) {
  work();
  stream.synchronize();
  if (small_shapes) {
    return 1;
  }
  double best = std::numeric_limits<double>::infinity();
  const auto begin = Clock::now();
  for (int i = 0; i < kRuns; ++i) {
    const auto start = Clock::now();
    work();
    stream.synchronize();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
    if (Clock::now() - begin > std::chrono::seconds(3)) {
      break;
    }
  }
  return best;
}

// bf16 of a normal distribution, over and over, since a device multiplies zeros with less power. As
// floats, codes or scales they are numbers, too.
void fill_with_noise(Stream& stream, void* to, std::size_t bytes) {
  static const std::vector<std::uint16_t> pattern = [] {
    std::vector<std::uint16_t> halves(small_shapes ? 1U << 12 : 1U << 22);
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (std::uint16_t& half : halves) {
      half = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(normal(random)) >> 16);
    }
    return halves;
  }();
  const std::size_t period = pattern.size() * 2;
  for (std::size_t at = 0; at < bytes; at += period) {
    stream.upload(static_cast<unsigned char*>(to) + at, pattern.data(),
                  std::min(period, bytes - at));
  }
  stream.synchronize();
}
template <class T>
Buffer<T> noise(Stream& stream, std::size_t count) {
  Buffer<T> buffer(count);
  fill_with_noise(stream, buffer.data(), count * sizeof(T));
  return buffer;
}

bool is_hopper() {
  static const bool hopper = device_facts().major == 9;
  return hopper;
}

// 4 d flop for each head, query and key that it sees.
double attention_flop(const AttentionShape& s) {
  double pairs = 0;
  for (int t = 0; t < s.tokens; ++t) {
    const int seen = s.context - s.tokens + t + 1;
    pairs += s.window > 0 ? std::min(seen, s.window) : seen;
  }
  return 4.0 * s.head_dim * s.heads * pairs;
}
double cache_bytes(const AttentionShape& s) {
  return 2.0 * 2.0 * s.context * s.kv_heads * s.head_dim;
}

void attend(Stream& stream, const AttentionCall& call) {
  if (is_hopper() && attention_wgmma_takes(call)) {
    attention_wgmma(stream, call);
  } else if (call.pieces == 1 && attention_mma_takes(call)) {
    attention_mma(stream, call);
  } else {
    attention(stream, call);
  }
}

double weight_bytes(WeightFormat format, std::size_t rows, std::size_t columns) {
  return static_cast<double>(weight_code_bytes(format, rows, columns)) +
         2.0 * static_cast<double>(weight_scales(format, rows, columns));
}

struct MoeShape {
  std::size_t experts = size_of<std::size_t>(128, 16);
  std::size_t inner = size_of<std::size_t>(704, 11);
  std::size_t width = size_of<std::size_t>(2816, 22);
  std::size_t slots = 8;
};

}  // namespace

Rates measure_rates(Stream& stream) {
  Rates rates;
  const Memory from(kCopyBytes), to(kCopyBytes);
  fill_with_noise(stream, from.data(), kCopyBytes);
  const double copy = seconds_of(stream, [&] { stream.copy(to.data(), from.data(), kCopyBytes); });
  rates.copy = 2.0 * static_cast<double>(kCopyBytes) / copy;
  Gemm call;
  call.rows = call.columns = call.depth = kGemmSize;
  call.x = static_cast<const std::uint16_t*>(from.data());
  call.w = call.x + std::size_t{kGemmSize} * kGemmSize;
  call.y = static_cast<float*>(to.data());
  const double flop = 2.0 * kGemmSize * kGemmSize * kGemmSize;
  rates.gemm = flop / seconds_of(stream, [&] { gemm_mma(stream, call); });
  if (is_hopper()) {
    rates.gemm = std::max(rates.gemm, flop / seconds_of(stream, [&] { gemm_wgmma(stream, call); }));
  }
  return rates;
}

Result attention_row(Stream& stream, AttentionShape s) {
  s.tokens = size_of(s.tokens, 512);
  s.context = size_of(s.context, 512);
  s.window = s.window > 0 ? size_of(s.window, 64) : 0;
  const auto size = [](long a, long b) { return static_cast<std::size_t>(a * b); };
  const std::size_t kept = size(s.context, s.kv_heads * s.head_dim);
  const auto keys = noise<std::uint16_t>(stream, kept), values = noise<std::uint16_t>(stream, kept);
  const auto q = noise<float>(stream, size(s.tokens, s.heads * s.head_dim));
  const Buffer<float> out(q.size());
  std::vector<QueryKeys> visible;
  for (int t = 0; t < s.tokens; ++t) {
    const int last = s.context - s.tokens + t;
    visible.push_back({s.window > 0 ? std::max(0, last - s.window + 1) : 0, last, -1});
  }
  const Buffer<QueryKeys> rows(visible.size());
  stream.upload(rows.data(), visible.data(), visible.size() * sizeof(QueryKeys));
  const int pieces = s.tokens == 1 ? (s.context + kPieceKeys - 1) / kPieceKeys : 1;
  const Buffer<float> parts(
      std::max<std::size_t>(1, attention_parts(s.tokens, s.heads, s.head_dim, pieces)));
  AttentionCall call;
  const auto count = static_cast<std::size_t>(s.tokens);
  const auto width = static_cast<std::size_t>(s.heads * s.head_dim);
  call.queries = device_rows(q.data(), count, width);
  call.heads = s.heads;
  call.cache = {KeyType::kBf16, s.context, s.kv_heads, s.head_dim, keys.data(), values.data()};
  call.visible = rows.data();
  call.out = device_rows(out.data(), count, width);
  call.pieces = pieces;
  call.parts = parts.data();
  stream.synchronize();
  const double took = seconds_of(stream, [&] { attend(stream, call); });
  return {s.tokens == 1 ? cache_bytes(s) : attention_flop(s), took};
}

Result gemv_row(Stream& stream, WeightFormat format, std::size_t rows, std::size_t columns) {
  rows = size_of<std::size_t>(rows, 1024);
  const auto codes = noise<unsigned char>(stream, weight_code_bytes(format, rows, columns));
  const auto scales =
      noise<std::uint16_t>(stream, std::max<std::size_t>(1, weight_scales(format, rows, columns)));
  const auto x = noise<float>(stream, columns), y = noise<float>(stream, rows);
  const DeviceWeight w{format, static_cast<int>(rows), static_cast<int>(columns), codes.data(),
                       scales.data()};
  const double took = seconds_of(stream, [&] {
    matmul(stream, w, device_rows(x.data(), 1, columns), format == WeightFormat::kBf16,
           device_rows(y.data(), 1, rows));
  });
  return {weight_bytes(format, rows, columns), took};
}

Result moe_prefill_row(Stream& stream, std::size_t tokens) {
  const MoeShape m;
  tokens = size_of<std::size_t>(tokens, 512);
  const std::size_t choices = tokens * m.slots;
  const auto in = noise<std::uint16_t>(stream, choices * m.width);
  const auto gate_up = noise<std::uint16_t>(stream, m.experts * 2 * m.inner * m.width);
  const auto mixed = noise<std::uint16_t>(stream, choices * m.inner);
  const auto down = noise<std::uint16_t>(stream, m.experts * m.width * m.inner);
  const auto y = noise<float>(stream, choices * m.width);
  std::vector<int> first;
  for (std::size_t e = 0; e <= m.experts; ++e) {
    first.push_back(static_cast<int>(e * choices / m.experts));
  }
  const Buffer<int> places(first.size());
  stream.upload(places.data(), first.data(), first.size() * sizeof(int));
  Gemm wide;
  wide.rows = static_cast<int>(choices);
  wide.columns = static_cast<int>(2 * m.inner);
  wide.depth = static_cast<int>(m.width);
  wide.x = in.data();
  wide.w = gate_up.data();
  wide.y = y.data();
  wide.experts = static_cast<int>(m.experts);
  wide.first = places.data();
  wide.most = static_cast<int>((choices + m.experts - 1) / m.experts);
  Gemm narrow = wide;
  narrow.columns = static_cast<int>(m.width);
  narrow.depth = static_cast<int>(m.inner);
  narrow.x = mixed.data();
  narrow.w = down.data();
  stream.synchronize();
  const auto product = is_hopper() ? gemm_wgmma : gemm_mma;
  const double took = seconds_of(stream, [&] {
    product(stream, wide);
    product(stream, narrow);
  });
  return {6.0 * static_cast<double>(choices * m.inner * m.width), took};
}

Result moe_decode_row(Stream& stream) {
  const MoeShape m;
  const auto gate_up = noise<std::uint16_t>(stream, m.experts * 2 * m.inner * m.width);
  const auto down = noise<std::uint16_t>(stream, m.experts * m.width * m.inner);
  const auto x = noise<float>(stream, m.width), mixed = noise<float>(stream, m.slots * 2 * m.inner),
             y = noise<float>(stream, m.slots * m.width);
  std::vector<int> chosen;
  for (std::size_t c = 0; c < m.slots; ++c) {
    chosen.push_back(static_cast<int>(c * m.experts / m.slots));
  }
  const Buffer<int> expert(m.slots);
  stream.upload(expert.data(), chosen.data(), m.slots * sizeof(int));
  const ExpertRows rows{static_cast<int>(m.experts),
                        static_cast<int>(m.slots),
                        static_cast<int>(m.slots),
                        1,
                        nullptr,
                        nullptr,
                        expert.data(),
                        true};
  const DeviceWeight wide{WeightFormat::kBf16, static_cast<int>(2 * m.inner),
                          static_cast<int>(m.width), gate_up.data(), nullptr};
  const DeviceWeight narrow{WeightFormat::kBf16, static_cast<int>(m.width),
                            static_cast<int>(m.inner), down.data(), nullptr};
  const DeviceRows both = device_rows(mixed.data(), m.slots, 2 * m.inner);
  stream.synchronize();
  const double took = seconds_of(stream, [&] {
    expert_matmul(stream, wide, rows, true, device_rows(x.data(), 1, m.width), true, both);
    expert_matmul(stream, narrow, rows, false, both.part(0, static_cast<int>(m.inner)), true,
                  device_rows(y.data(), m.slots, m.width));
  });
  return {6.0 * static_cast<double>(m.slots * m.inner * m.width), took};
}

Result norm_row(Stream& stream, bool fused) {
  const std::size_t rows = size_of<std::size_t>(16384, 4096), columns = 5376;
  const auto x = noise<float>(stream, rows * columns), h = noise<float>(stream, rows * columns),
             next = noise<float>(stream, rows * columns), scale = noise<float>(stream, columns);
  const DeviceRows in = device_rows(x.data(), rows, columns);
  const DeviceRows sum = device_rows(h.data(), rows, columns);
  const double took = seconds_of(stream, [&] {
    if (fused) {
      add_normed(stream, {in, scale.data(), sum, 1, scale.data(), next.data(), nullptr, nullptr},
                 kEps);
    } else {
      rms_norm(stream, in, scale.data(), kEps, sum);
    }
  });
  return {(fused ? 4.0 : 2.0) * 4.0 * static_cast<double>(rows * columns), took};
}

}  // namespace assay::cuda
