// SPDX-License-Identifier: Apache-2.0
// Listeners that gather taps, or change them as a class of programs would. A tap is converted once,
// where it enters; what a listener makes of it is written back in its own dtype. None of them
// throws: what goes wrong is kept and raised by check() after the run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/compare/precision.h"
#include "conformance/interface/implementation.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

// Runs `work`; an exception becomes HarnessError in check().
class SafeListener : public TapListener {
 public:
  void on_tap(const TensorView& view) final;
  // The same for a tap that another listener has converted; changes stay in it.
  void take(Tap& tap);
  void check() const;

 protected:
  virtual void receive(Tap& tap) = 0;

 private:
  void guarded(std::string_view name, const std::function<void()>& work);

  std::string error_;
};

using TapFilter = std::function<bool(const std::string&)>;

class CollectingListener : public SafeListener {
 public:
  explicit CollectingListener(TapFilter filter = {}) : filter_(std::move(filter)) {}
  bool wants(const std::string& name) const override { return !filter_ || filter_(name); }
  TapSet& taps() { return taps_; }

 protected:
  void receive(Tap& tap) override { taps_.add(tap); }

 private:
  TapFilter filter_;
  TapSet taps_;
};

// Hands each tap to a function.
class CallingListener : public SafeListener {
 public:
  CallingListener(TapFilter filter, std::function<void(Tap&)> call)
      : filter_(std::move(filter)), call_(std::move(call)) {}
  bool wants(const std::string& name) const override { return filter_(name); }

 protected:
  void receive(Tap& tap) override { call_(tap); }

 private:
  TapFilter filter_;
  std::function<void(Tap&)> call_;
};

// Changes taps, then shows them to the next listener. Choices are set to those of `forced` where
// it has them, so that one flipped expert does not drown what is to be measured.
class ChangingListener : public SafeListener {
 public:
  ChangingListener(const TapSet* forced, std::vector<SafeListener*> next)
      : forced_(forced), next_(std::move(next)) {}
  bool wants(const std::string&) const override { return true; }

 protected:
  void receive(Tap& tap) final;
  virtual void change(Tap&) {}  // a real tap

 private:
  const TapSet* forced_;
  std::vector<SafeListener*> next_;
};

// Every real tap rounded to the class: to nearest, or up and down at random with a seed.
// `unrounded` gets those that it wants as they were before.
class RoundingListener : public ChangingListener {
 public:
  RoundingListener(const PrecisionClass& precision, std::uint64_t seed, const TapSet* forced,
                   std::vector<SafeListener*> next, SafeListener* unrounded = nullptr)
      : ChangingListener(forced, std::move(next)),
        precision_(precision),
        seed_(seed),
        unrounded_(unrounded) {}

 protected:
  void change(Tap& tap) override;

 private:
  const PrecisionClass& precision_;
  std::uint64_t seed_;  // 0: to nearest
  SafeListener* unrounded_;
};

// Gaussian noise on every real tap, of a size per kind of tap relative to the rms of the row.
// Zeros stay zero.
class NoiseListener : public ChangingListener {
 public:
  NoiseListener(const std::map<std::string, double>& sizes, std::uint64_t seed,
                const TapSet* forced, std::vector<SafeListener*> next)
      : ChangingListener(forced, std::move(next)), sizes_(sizes), seed_(seed) {}

 protected:
  void change(Tap& tap) override;

 private:
  const std::map<std::string, double>& sizes_;
  std::uint64_t seed_;
};

}  // namespace assay::conformance
