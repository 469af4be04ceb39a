// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/listeners.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <span>

#include "conformance/catalogue/roles.h"
#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/choices.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/measure.h"
#include "conformance/compare/shapes.h"

namespace assay::conformance {
namespace {

// FNV-1a: each tap has its own sequence, whatever else is asked for.
std::uint64_t seed_of(const std::string& name, std::uint64_t seed) {
  std::uint64_t hash = 0xCBF29CE484222325u ^ (seed * 0x9E3779B97F4A7C15u);
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  }
  return hash;
}

}  // namespace

void SafeListener::guarded(std::string_view name, const std::function<void()>& work) {
  if (!error_.empty()) {
    return;
  }
  try {
    work();
  } catch (const std::exception& error) {
    error_ = std::string(name) + ": " + error.what();
  }
}

void SafeListener::on_tap(const TensorView& view) {
  guarded(view.name, [&] {
    Tap tap = to_tap(view);
    receive(tap);
    write_forced(tap, view);
  });
}

void SafeListener::take(Tap& tap) {
  guarded(tap.name, [&] { receive(tap); });
}

void SafeListener::check() const {
  if (!error_.empty()) {
    throw HarnessError(error_);
  }
}

void ChangingListener::receive(Tap& tap) {
  if (is_choice(tap.name)) {
    const Tap* forced = forced_ == nullptr ? nullptr : forced_->find(tap.name);
    if (forced != nullptr && forced->values.size() == tap.values.size()) {
      tap.values = forced->values;
    }
  } else if (!is_discrete(tap)) {
    change(tap);
  }
  for (SafeListener* next : next_) {
    if (next->wants(tap.name)) {
      Tap copy = tap;  // what they do to it is not for the run
      next->take(copy);
    }
  }
}

void RoundingListener::change(Tap& tap) {
  if (unrounded_ != nullptr && unrounded_->wants(tap.name)) {
    Tap copy = tap;
    unrounded_->take(copy);
  }
  Random random(seed_of(tap.name, seed_));
  for (double& value : tap.values) {
    value = seed_ == 0 ? round_to_class(value, precision_)
                       : round_stochastic(value, precision_, random.uniform());
  }
}

void NoiseListener::change(Tap& tap) {
  const auto size = sizes_.find(tap_kind(tap.name));
  if (size == sizes_.end() || size->second == 0) {
    return;
  }
  Random random(seed_of(tap.name, seed_));
  const std::size_t width = tap.shape.empty() ? 1 : std::max<std::size_t>(tap.shape.back(), 1);
  for (std::size_t start = 0; start + width <= tap.values.size(); start += width) {
    const std::span<double> row(tap.values.data() + start, width);
    const double sigma = size->second * rms(row);
    for (double& value : row) {
      value += value == 0 ? 0 : sigma * random.gaussian();
    }
  }
}

}  // namespace assay::conformance
