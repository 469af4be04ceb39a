// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/optimized/row_kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "benchmarks/optimized/measure.h"
#include "optimized/engine/each_row.h"
#include "optimized/kernels/encoder_rows.h"
#include "optimized/kernels/row_ops.h"
#include "optimized/packing/row_panels.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kModel = 1536;  // hidden_size of E2B
constexpr std::size_t kFeedForward = 6144;
constexpr std::size_t kHeadDim = 256;
constexpr std::size_t kHeads = 8;
constexpr std::size_t kExperts = 128;  // of 26B-A4B
constexpr std::size_t kVision = 768;   // hidden_size of the encoders of E2B
constexpr std::size_t kAudio = 1024;
constexpr std::size_t kAudioHead = 128;
constexpr std::size_t kConvolved = 5;  // rows of audio that a convolution reads
constexpr std::size_t kLookBack = 13;  // rows of audio that attention sees

// Rows in and rows out, one row of weights, and one of angles.
struct Arrays {
  std::vector<float> in = std::vector<float>(kBenchedRows * kFeedForward);
  std::vector<float> out = std::vector<float>(kBenchedRows * kFeedForward);
  std::vector<float> ones = std::vector<float>(kBenchedRows * kFeedForward, 1.0F);
  std::vector<float> weight = std::vector<float>(kFeedForward);
  std::vector<float> angles = std::vector<float>(kHeadDim);  // cosines, then their sines

  Arrays() {
    for (std::size_t i = 0; i < in.size(); ++i) {
      in[i] = std::sin(static_cast<float>(i % 10007));
      out[i] = in[i] / 2;
    }
    std::copy_n(in.begin(), weight.size(), weight.begin());
    for (std::size_t i = 0; i < kHeadDim / 2; ++i) {
      angles[i] = std::cos(static_cast<float>(i));
      angles[kHeadDim / 2 + i] = std::sin(static_cast<float>(i));
    }
  }
};

Arrays& arrays() {
  static Arrays all;
  return all;
}

float* in_row(std::size_t row, std::size_t width) {
  return arrays().in.data() + row * width;
}
float* out_row(std::size_t row, std::size_t width) {
  return arrays().out.data() + row * width;
}

// work(row) for each row.
template <class Work>
RowKernel by_row(const std::string& name, std::size_t width, double moved, const Work& work) {
  return {name, width, moved,
          [work](const Threads& threads) { each_row(threads, kBenchedRows, work); }};
}

// y = f(x).
template <class Function>
RowKernel mapped(const std::string& name, std::size_t width, const Function& f) {
  return by_row(name, width, 2,
                [=](std::size_t row) { f(in_row(row, width), width, out_row(row, width)); });
}

// y = f(y, x). Numbers that come again and again neither grow without bound nor vanish.
template <class Function>
RowKernel combined(const std::string& name, std::size_t width, const Function& f) {
  return by_row(name, width, 3, [=](std::size_t row) {
    f(out_row(row, width), arrays().ones.data() + row * width, width);
  });
}

RowKernel packed(const std::string& name, RowFormat format, double moved) {
  return {name, kModel, moved, [format](const Threads& threads) {
            static RowPanels panels;
            panels.pack({arrays().in.data(), kModel, kBenchedRows, kModel}, format, threads);
          }};
}

void add_text(std::vector<RowKernel>& list) {
  const float* const weight = arrays().weight.data();
  list.push_back(mapped("rms_norm", kModel, [=](const float* x, std::size_t n, float* y) {
    rms_norm(x, weight, 1e-6, n, y);
  }));
  const float* const angles = arrays().angles.data();  // the same for all heads of a token
  constexpr std::size_t kQueries = kHeads * kHeadDim;
  list.push_back(by_row("rope", kQueries, 2, [=](std::size_t row) {
    rope(in_row(row, kQueries), kHeads, kHeadDim / 2, angles, angles + kHeadDim / 2);
  }));
  list.push_back(mapped("gelu", kFeedForward, gelu));
  list.push_back(by_row("softcap", kFeedForward, 2, [](std::size_t row) {
    softcap(out_row(row, kFeedForward), kFeedForward, 30.0);
  }));
  list.push_back(combined("multiply_by", kFeedForward, multiply_by));
  list.push_back(combined("add_to", kModel, add_to));
  list.push_back(combined("add_scaled", kModel, [](float* y, const float* x, std::size_t n) {
    add_scaled(y, x, 0.5F, n);
  }));
  list.push_back(by_row("scale_by", kModel, 2,
                        [](std::size_t row) { scale_by(out_row(row, kModel), 1.0F, kModel); }));
  list.push_back(by_row("softmax", kExperts, 2,
                        [](std::size_t row) { softmax(out_row(row, kExperts), kExperts); }));
  list.push_back(packed("pack_f32", RowFormat::kF32, 2));
  list.push_back(packed("pack_bf16", RowFormat::kBf16, 1.5));
  list.push_back(packed("pack_int8", RowFormat::kInt8, 1.25));
  list.push_back(packed("pack_int8_digits", RowFormat::kInt8Digits, 1.75));
}

void add_encoders(std::vector<RowKernel>& list) {
  const float* const weight = arrays().weight.data();
  list.push_back(mapped("layer_norm", kVision, [=](const float* x, std::size_t n, float* y) {
    layer_norm(x, weight, weight + n, 1e-6, n, y);
  }));
  list.push_back(mapped("clamp_row", kAudio, [](const float* x, std::size_t n, float* y) {
    clamp_row(x, -0.5F, 0.5F, n, y);
  }));
  list.push_back(
      by_row("relu", kAudio, 2, [](std::size_t row) { relu(out_row(row, kAudio), kAudio); }));
  list.push_back(mapped("silu", kAudio, silu));
  list.push_back(by_row("gate_by_sigmoid", kAudio, 3, [](std::size_t row) {
    const float* const both = in_row(row, 2 * kAudio);
    gate_by_sigmoid(both, both + kAudio, kAudio, out_row(row, kAudio));
  }));
  // Of the rows that a convolution and attention see, one is new; the others are in the cache.
  list.push_back(by_row("depthwise_conv1d", kAudio, 2, [=](std::size_t row) {
    std::array<const float*, kConvolved> rows;
    for (std::size_t j = 0; j < kConvolved; ++j) {
      rows[j] = in_row(row + j, kAudio);
    }
    depthwise_conv1d(rows.data(), weight, kConvolved, kAudio, out_row(row, kAudio));
  }));
  list.push_back(by_row("local_scores", kAudioHead, 2, [=](std::size_t row) {
    const LookBack keys{out_row(row + kLookBack, kAudioHead), kAudioHead};
    const LookBack places{weight + kLookBack * kAudioHead, kAudioHead};
    local_scores(in_row(row, kAudioHead), keys, places, kLookBack, kAudioHead,
                 arrays().out.data() + kBenchedRows * kAudio + row * kLookBack);
  }));
  list.push_back(by_row("local_mix", kAudioHead, 2, [=](std::size_t row) {
    const LookBack values{in_row(row + kLookBack, kAudioHead), kAudioHead};
    local_mix(weight, values, kLookBack, kAudioHead, out_row(row, kAudioHead));
  }));
}

}  // namespace

std::vector<RowKernel> row_kernels() {
  std::vector<RowKernel> list;
  add_text(list);
  add_encoders(list);
  return list;
}

double copy_rate(std::size_t width, const Threads& threads) {
  const double start = now();
  each_row(threads, kBenchedRows, [width](std::size_t row) {
    std::memcpy(out_row(row, width), in_row(row, width), width * sizeof(float));
  });
  return 2.0 * static_cast<double>(kBenchedRows * width * sizeof(float)) / (now() - start);
}

}  // namespace assay::cpu
