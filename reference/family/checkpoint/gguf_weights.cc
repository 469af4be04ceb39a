// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf_weights.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>

namespace assay {
namespace {

constexpr std::size_t kChannels = 3;

using Shape = std::vector<std::size_t>;

// Without axes of extent 1.
Shape squeezed(const Shape& shape) {
  Shape extents;
  std::ranges::copy_if(shape, std::back_inserter(extents), [](std::size_t n) { return n != 1; });
  return extents;
}

// The side of a square patch whose pixels, with their channels, are `row` numbers; 0: of none.
std::size_t patch_side(std::size_t row) {
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(row / kChannels)));
  return kChannels * side * side == row ? side : 0;
}

bool lies_as(GgufLayout layout, const Shape& stored, const Shape& shape) {
  if (layout == GgufLayout::kAxes) {
    return shape.size() == 3 && stored == Shape{shape[1], shape[0], shape[2]};
  }
  if (layout == GgufLayout::kPatches) {
    const std::size_t side = shape.empty() ? 0 : patch_side(shape.back());
    Shape image(shape.begin(), shape.empty() ? shape.end() : shape.end() - 1);
    image.insert(image.end(), {kChannels, side, side});
    return side > 0 && (stored == shape || stored == image);
  }
  return squeezed(stored) == squeezed(shape);
}

// A weight made of another one.
class Rearranged : public WeightSource {
 public:
  Rearranged(std::unique_ptr<WeightSource> source, Shape shape)
      : source_(std::move(source)), shape_(std::move(shape)) {}

  std::string place() const override { return source_->place(); }
  const Shape& shape() const override { return shape_; }
  bool is_floating() const override { return source_->is_floating(); }
  std::string dtype() const override { return source_->dtype(); }
  void release() const override { source_->release(); }

 protected:
  const WeightSource& source() const { return *source_; }

 private:
  std::unique_ptr<WeightSource> source_;
  Shape shape_;
};

// Calls visit(index, offset, size) for each piece of [first, first + count) that lies in one run of
// `run` elements: the run's index, the piece's begin in it, its size.
template <class Visit>
void each_run(std::size_t first, std::size_t count, std::size_t run, Visit visit) {
  while (count > 0) {
    const std::size_t offset = first % run;
    const std::size_t size = std::min(count, run - offset);
    visit(first / run, offset, size);
    first += size;
    count -= size;
  }
}

// kPatches: within each row, [channel, y, x] to [y, x, channel].
class PatchRows final : public ReadByGive<PatchRows, Rearranged> {
 public:
  using ReadByGive::ReadByGive;

  template <class Real>
  void give(std::size_t first, std::size_t count, Real* out) const {
    const std::size_t row = shape().back();
    const std::size_t pixels = row / kChannels;
    std::vector<Real> stored(row);
    each_run(first, count, row, [&](std::size_t index, std::size_t offset, std::size_t size) {
      source().read(index * row, row, stored.data());
      for (std::size_t i = offset; i < offset + size; ++i) {
        *out++ = stored[i % kChannels * pixels + i / kChannels];
      }
    });
  }
};

// kAxes: [axes, positions, width] to [positions, axes, width].
class SwappedAxes final : public ReadByGive<SwappedAxes, Rearranged> {
 public:
  using ReadByGive::ReadByGive;

  template <class Real>
  void give(std::size_t first, std::size_t count, Real* out) const {
    const std::size_t axes = shape()[1];
    const std::size_t width = shape()[2];
    each_run(first, count, width, [&](std::size_t index, std::size_t offset, std::size_t size) {
      const std::size_t stored = index % axes * shape()[0] + index / axes;
      source().read(stored * width + offset, size, out);
      out += size;
    });
  }
};

// kSoftplus: x of y = log(1 + e^x), which is y + log(1 - e^-y).
class InverseSoftplus final : public Rearranged {
 public:
  using Rearranged::Rearranged;
  void read(std::size_t first, std::size_t count, float* out) const override {
    std::vector<double> values(count);
    read(first, count, values.data());
    std::ranges::transform(values, out, [](double x) { return static_cast<float>(x); });
  }
  void read(std::size_t first, std::size_t count, double* out) const override {
    source().read(first, count, out);
    std::transform(out, out + count, out, [](double y) { return y + std::log(-std::expm1(-y)); });
  }
};

class JoinedRows final : public ReadByGive<JoinedRows> {
 public:
  JoinedRows(std::unique_ptr<WeightSource> first, std::unique_ptr<WeightSource> second)
      : parts_{std::move(first), std::move(second)}, shape_(parts_[0]->shape()) {
    shape_[1] += parts_[1]->shape()[1];
  }

  std::string place() const override { return parts_[0]->place(); }
  const Shape& shape() const override { return shape_; }
  bool is_floating() const override { return parts_[0]->is_floating() && parts_[1]->is_floating(); }
  std::string dtype() const override { return parts_[0]->dtype(); }

  template <class Real>
  void give(std::size_t first, std::size_t count, Real* out) const {
    const std::size_t width = shape_[2];
    const std::size_t rows = parts_[0]->shape()[1];
    each_run(first, count, width, [&](std::size_t index, std::size_t offset, std::size_t size) {
      const std::size_t expert = index / shape_[1];
      const std::size_t row = index % shape_[1];
      const std::size_t part = row < rows ? 0 : 1;
      const std::size_t stored = expert * parts_[part]->shape()[1] + row - part * rows;
      parts_[part]->read(stored * width + offset, size, out);
      out += size;
    });
  }

  void release() const override {
    parts_[0]->release();
    parts_[1]->release();
  }

 private:
  std::unique_ptr<WeightSource> parts_[2];
  Shape shape_;
};

class TimesFactor final : public ReadByGive<TimesFactor, Rearranged> {
 public:
  TimesFactor(std::unique_ptr<WeightSource> weight, Shape shape,
              std::unique_ptr<WeightSource> factor)
      : ReadByGive(std::move(weight), std::move(shape)), factor_(std::move(factor)) {}

  template <class Real>
  void give(std::size_t first, std::size_t count, Real* out) const {
    const std::size_t factors = num_elements(factor_->shape());
    const std::size_t slice = num_elements(shape()) / factors;
    source().read(first, count, out);
    each_run(first, count, slice, [&](std::size_t index, std::size_t, std::size_t size) {
      Real factor = 0;
      factor_->read(index, 1, &factor);
      std::transform(out, out + size, out, [factor](Real value) { return value * factor; });
      out += size;
    });
  }

 private:
  std::unique_ptr<WeightSource> factor_;
};

}  // namespace

std::unique_ptr<WeightSource> gguf_weight(const Container& file, const StoredTensor& tensor,
                                          GgufLayout layout, const Shape& shape) {
  if (!lies_as(layout, tensor.shape, shape)) {
    return stored_weight(file, tensor);
  }
  auto stored = stored_part(file, tensor, 0, shape);
  switch (layout) {
    case GgufLayout::kSame:
      return stored;
    case GgufLayout::kPatches:
      return std::make_unique<PatchRows>(std::move(stored), shape);
    case GgufLayout::kAxes:
      return std::make_unique<SwappedAxes>(std::move(stored), shape);
    case GgufLayout::kSoftplus:
      return std::make_unique<InverseSoftplus>(std::move(stored), shape);
  }
  return stored;
}

std::unique_ptr<WeightSource> joined_rows(std::unique_ptr<WeightSource> first,
                                          std::unique_ptr<WeightSource> second) {
  return std::make_unique<JoinedRows>(std::move(first), std::move(second));
}

std::unique_ptr<WeightSource> times_factor(std::unique_ptr<WeightSource> weight,
                                           std::unique_ptr<WeightSource> factor) {
  Shape shape = weight->shape();
  return std::make_unique<TimesFactor>(std::move(weight), std::move(shape), std::move(factor));
}

}  // namespace assay
