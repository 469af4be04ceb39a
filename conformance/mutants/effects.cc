// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/effects.h"

#include <algorithm>
#include <cmath>

namespace assay::conformance {
namespace {

constexpr std::size_t kSamples = 1500;
// Two mistakes whose effects are this near do the same.
constexpr double kSameEffect = 0.05;
// A pair leaves this much less than the better of the two alone, or the other has no part in it.
constexpr double kNeedsBoth = 0.95;

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

// b - a; empty where they cannot be compared.
std::vector<float> difference(const std::vector<float>& b, const std::vector<float>& a) {
  std::vector<float> change;
  if (a.size() != b.size()) {
    return change;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    change.push_back(b[i] - a[i]);
    if (!std::isfinite(change.back())) {
      return {};
    }
  }
  return change;
}

class Watcher : public TapListener {
 public:
  Watcher(TapListener& next, const std::vector<std::string>& taps, Samples& samples)
      : next_(next), taps_(taps), samples_(samples) {}
  bool wants(const std::string& name) const override { return next_.wants(name); }
  void on_tap(const TensorView& view) override {
    const std::string name(view.name);
    if (std::ranges::find(taps_, name) != taps_.end()) {
      samples_[name] = sample(to_tap(view).values);
    }
    next_.on_tap(view);
  }

 private:
  TapListener& next_;
  const std::vector<std::string>& taps_;
  Samples& samples_;
};

// What two mistakes leave of an error, as shares of it: as they are, and as much of each as fits
// best.
//
//   |e - d_x - d_y| / |e|       min over a, b of |e - a d_x - b d_y| / |e|
struct Products {
  double ee, ex, ey, xx, yy, xy;

  // The same of one alone.
  static double left_by_one(double ee, double ex, double xx) {
    const double plain = std::sqrt(std::max(ee - 2 * ex + xx, 0.0) / ee);
    const double fitted = xx > 0 ? ee - ex * ex / xx : ee;
    return (std::min(plain, 1.0) + std::sqrt(std::max(fitted, 0.0) / ee)) / 2;
  }

  double left() const {
    const double squared = ee - 2 * (ex + ey) + xx + yy + 2 * xy;
    const double plain = std::sqrt(std::max(squared, 0.0) / ee);
    const double area = xx * yy - xy * xy;
    if (!(area > 1e-9 * xx * yy)) {
      return std::min(plain, 1.0);
    }
    const double fitted = ee - (ex * ex * yy - 2 * ex * ey * xy + ey * ey * xx) / area;
    return (std::min(plain, 1.0) + std::sqrt(std::max(fitted, 0.0) / ee)) / 2;
  }
};

}  // namespace

std::vector<float> sample(const std::vector<double>& values) {
  // Odd, so that no row is as wide and every column has its turn.
  const std::size_t step = (values.size() / kSamples) | 1;
  std::vector<float> some;
  for (std::size_t i = 0; i < values.size(); i += step) {
    some.push_back(static_cast<float>(values[i]));
  }
  return some;
}

Status Watched::run(const CaseInput& input, const RunOptions& options, TapListener& taps) {
  samples.clear();
  Watcher watcher(taps, taps_, samples);
  return inner_.run(input, options, watcher);
}

Effects::Effects(Samples replayed, const TapSet& dump) : replayed_(std::move(replayed)) {
  for (const auto& [name, values] : replayed_) {
    if (const Tap* got = dump.find(name)) {
      errors_[name] = difference(sample(got->values), values);
    }
  }
}

void Effects::add(const Samples& with_mistake) {
  Samples& effects = effects_.emplace_back();
  for (const auto& [name, values] : with_mistake) {
    if (const auto before = replayed_.find(name); before != replayed_.end()) {
      effects[name] = difference(values, before->second);
    }
  }
}

const std::vector<float>* Effects::effect(std::size_t mistake, const std::string& tap) const {
  const auto found = effects_[mistake].find(tap);
  return found == effects_[mistake].end() || found->second.empty() ? nullptr : &found->second;
}

// What is left of the error at one tap: added to that of each mistake and of each pair.
void Effects::add_left(const std::string& tap, std::vector<double>& alone,
                       std::vector<double>& pairs) const {
  const std::size_t n = effects_.size();
  const auto error = errors_.find(tap);
  const double ee = error == errors_.end() ? 0 : dot(error->second, error->second);
  if (!(ee > 0)) {
    return;
  }
  std::vector<double> along(n, 0);   // of each effect along the error
  std::vector<double> square(n, 0);  // 0: it does nothing here
  for (std::size_t x = 0; x < n; ++x) {
    if (const auto* dx = effect(x, tap); dx != nullptr && dx->size() == error->second.size()) {
      along[x] = dot(error->second, *dx);
      square[x] = dot(*dx, *dx);
    }
    alone[x] += Products::left_by_one(ee, along[x], square[x]);
  }
  for (std::size_t x = 0; x < n; ++x) {
    for (std::size_t y = x + 1; y < n; ++y) {
      const bool both = square[x] > 0 && square[y] > 0;
      const double across = both ? dot(*effect(x, tap), *effect(y, tap)) : 0;
      pairs[x * n + y] += Products{ee, along[x], along[y], square[x], square[y], across}.left();
    }
  }
}

std::vector<Effects::Pair> Effects::nearest_pairs(const std::vector<std::string>& taps,
                                                  std::size_t count) const {
  const std::size_t n = effects_.size();
  std::vector<double> alone(n, 0);
  std::vector<double> left(n * n, 0);
  for (const std::string& tap : taps) {
    add_left(tap, alone, left);
  }
  std::vector<Pair> pairs;
  for (std::size_t x = 0; x < n; ++x) {
    for (std::size_t y = x + 1; y < n; ++y) {
      if (left[x * n + y] < kNeedsBoth * std::min(alone[x], alone[y])) {
        pairs.push_back({x, y, left[x * n + y]});
      }
    }
  }
  count = std::min(count, pairs.size());
  const auto middle = pairs.begin() + static_cast<std::ptrdiff_t>(count);
  std::ranges::partial_sort(pairs, middle, {}, &Pair::left);
  pairs.resize(count);
  return pairs;
}

std::vector<std::size_t> Effects::like(std::size_t mistake,
                                       const std::vector<std::string>& taps) const {
  std::vector<std::size_t> same;
  for (std::size_t x = 0; x < effects_.size(); ++x) {
    const bool alike =
        x != mistake && std::ranges::all_of(taps, [&](const std::string& tap) {
          const auto* one = effect(mistake, tap);
          const auto* other = effect(x, tap);
          if (one == nullptr || other == nullptr) {
            return one == other;
          }
          const auto apart = difference(*one, *other);
          return !apart.empty() && dot(apart, apart) <= kSameEffect * kSameEffect * dot(*one, *one);
        });
    if (alike) {
      same.push_back(x);
    }
  }
  return same;
}

}  // namespace assay::conformance
