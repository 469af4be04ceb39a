// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/real_row_taps.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace assay::ASSAY_REFERENCE {
namespace {

// Values of another tensor, seen with a shape of their own.
class Part {
 public:
  using value_type = Real;
  Part(std::vector<std::size_t> shape, Real* data) : shape_(std::move(shape)), data_(data) {}

  const std::vector<std::size_t>& shape() const { return shape_; }
  Real* data() const { return data_; }
  std::size_t size() const {
    return std::accumulate(shape_.begin(), shape_.end(), std::size_t{1}, std::multiplies<>());
  }

 private:
  std::vector<std::size_t> shape_;
  Real* data_;
};

// Copies the first `real` columns of the first `real` rows of each of the `heads` matrices, from
// [N, S, S] to [N, real, real] or back.
void copy_squares(Real* whole, std::size_t heads, std::size_t slots, std::vector<Real>& squares,
                  std::size_t real, bool back) {
  for (std::size_t n = 0; n < heads; ++n) {
    for (std::size_t t = 0; t < real; ++t) {
      Real* in_whole = whole + (n * slots + t) * slots;
      Real* in_square = squares.data() + (n * real + t) * real;
      std::copy_n(back ? in_square : in_whole, real, back ? in_whole : in_square);
    }
  }
}

}  // namespace

void RealRowTaps::real(const std::string& name, const TapPlace& /*place*/,
                       std::span<const std::size_t> shape, std::span<Real> values) {
  if (name.ends_with("attn.logits") || name.ends_with("attn.probs")) {
    std::vector<Real> squares(shape[0] * real_ * real_);
    copy_squares(values.data(), shape[0], shape[1], squares, real_, false);
    Part part({shape[0], real_, real_}, squares.data());
    shown_.whole(name.c_str(), part);
    copy_squares(values.data(), shape[0], shape[1], squares, real_, true);
    return;
  }
  std::vector<std::size_t> part_shape(shape.begin(), shape.end());
  part_shape[0] = real_;
  Part part(std::move(part_shape), values.data());
  shown_.whole(name.c_str(), part);
}

}  // namespace assay::ASSAY_REFERENCE
