// SPDX-License-Identifier: Apache-2.0
// The encoders of a checkpoint on the CPU engine, beside the FMAs that the machine does at that
// moment.
//
//   assay synth e2b DIR --encoders --layers 2 --width 64 …    (benchmarks/README.md)
//   build/release/benchmarks/encoder_bench --threads=2 --checkpoint=DIR
//
// An image of 912 x 672 pixels as it is: 57 x 42 patches. Audio of 30 s: 3000 frames of log-mel.
// `share` is the median of the ratios of both rates, of products and attention alone: whatever else
// is done takes its time from it.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/optimized/measure.h"
#include "optimized/device/features.h"
#include "optimized/device/probe_loops.h"
#include "optimized/engine/audio_encoder.h"
#include "optimized/engine/vision_encoder.h"
#include "reference/family/preprocess/image_patches.h"
#include "reference/family/preprocess/log_mel.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kHeight = 672;
constexpr std::size_t kWidth = 912;

// Operations a second of all threads, from registers.
double fma_rate(const Threads& threads) {
  const Loop probe = fma_loop();
  const double start = now();
  threads.run([&](int, int) { probe.run(); });
  return probe.operations * threads.count() / (now() - start);
}

// `run` encodes once, `operations` counts what encoders have done so far.
void measure(benchmark::State& state, const Threads& threads, const std::function<void()>& run,
             const std::function<double()>& operations) {
  run();  // memory is taken, pages are mapped
  std::vector<double> rates;
  std::vector<double> shares;
  for (auto _ : state) {
    const double before = operations();
    const double ceiling = fma_rate(threads);
    const double start = now();
    run();
    const double seconds = now() - start;
    state.SetIterationTime(seconds);
    rates.push_back((operations() - before) / seconds);
    shares.push_back(rates.back() / ((ceiling + fma_rate(threads)) / 2));
  }
  state.counters["Gop/s"] = median(rates) / 1e9;
  state.counters["share"] = median(shares);
}

void image(benchmark::State& state, const Checkpoint& checkpoint, const Threads& threads) {
  VisionEncoder encoder(checkpoint, threads);
  Image pixels{{kHeight, kWidth}, std::vector<std::uint8_t>(kHeight * kWidth * 3)};
  for (std::size_t i = 0; i < pixels.rgb.size(); ++i) {
    pixels.rgb[i] = static_cast<std::uint8_t>((i * 7 + i / 911 * 13) % 256);
  }
  PatchOptions options;
  options.patch_size = checkpoint.config().vision->patch_size;
  options.pooling_kernel_size = checkpoint.config().vision->pooling_kernel_size;
  Patches patches = cut_patches(pixels, options);
  ImagePatches input;
  input.patches = {patches.values.data(), patches.width, patches.count(), patches.width};
  input.positions = patches.positions;
  input.grid = patch_grid(patches.positions, checkpoint.config().vision->position_embedding_size);
  measure(
      state, threads, [&] { encoder.encode(input, TapScope(nullptr, "")); },
      [&] { return encoder.operations(); });
}

void audio(benchmark::State& state, const Checkpoint& checkpoint, const Threads& threads) {
  AudioEncoder encoder(checkpoint, threads);
  std::vector<float> samples(kMaxAudioSamples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto t = static_cast<double>(i) / static_cast<double>(kSampleRate);
    samples[i] = static_cast<float>(0.3 * std::sin(2 * 3.14159 * (200 + 100 * t) * t));
  }
  LogMel mel = log_mel(samples);
  measure(
      state, threads,
      [&] {
        encoder.encode({mel.mel.data(), kMelBins, mel.frames, kMelBins}, {}, TapScope(nullptr, ""));
      },
      [&] { return encoder.operations(); });
}

void register_encoders(const Checkpoint& checkpoint, const Threads& threads) {
  const auto add = [&](const char* name, const auto& work) {
    benchmark::RegisterBenchmark(name,
                                 [&checkpoint, &threads, work](benchmark::State& state) {
                                   work(state, checkpoint, threads);
                                 })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  };
  if (checkpoint.config().vision) {
    add("vision/912x672", image);
  }
  if (checkpoint.config().audio) {
    add("audio/30s", audio);
  }
}

}  // namespace
}  // namespace assay::cpu

// Options of Google Benchmark, and --checkpoint=DIR and --threads=N.
int main(int count, char** arguments) {
  const auto threads = assay::cpu::take(count, arguments, "threads");
  const auto path = assay::cpu::take(count, arguments, "checkpoint");
  if (!path) {
    std::cerr << "encoder_bench: got no --checkpoint=DIR, expected one with encoders\n";
    return 2;
  }
  const assay::cpu::Threads team(threads ? std::max(1, std::atoi(threads->c_str())) : 1);
  try {
    const auto checkpoint = assay::Checkpoint::open(*path);
    benchmark::AddCustomContext("features", assay::cpu::machine_features());
    benchmark::AddCustomContext("threads", std::to_string(team.count()));
    assay::cpu::register_encoders(checkpoint, team);
    benchmark::Initialize(&count, arguments);
    if (benchmark::ReportUnrecognizedArguments(count, arguments)) {
      return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
  } catch (const std::exception& error) {
    std::cerr << "encoder_bench: " << error.what() << "\n";
    return 2;
  }
  return 0;
}
