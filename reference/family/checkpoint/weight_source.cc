// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/weight_source.h"

#include <utility>

#include "reference/family/base/error.h"

namespace assay {
namespace {

class StoredWeight final : public ReadByGive<StoredWeight> {
 public:
  StoredWeight(const Container& file, const StoredTensor& tensor, std::size_t first,
               std::vector<std::size_t> shape)
      : file_(&file), tensor_(&tensor), first_(first), shape_(std::move(shape)) {}

  std::string place() const override { return file_->label() + ": " + printable(tensor_->name); }
  const std::vector<std::size_t>& shape() const override { return shape_; }
  bool is_floating() const override { return assay::is_floating(tensor_->dtype); }
  std::string dtype() const override { return std::string(dtype_name(tensor_->dtype)); }

  template <class Real>
  void give(std::size_t first, std::size_t count, Real* out) const {
    file_->read(*tensor_, first_ + first, count, out);
  }

  std::optional<StoredBytes> stored() const override {
    if (num_elements(shape_) != tensor_->elements) {
      return std::nullopt;
    }
    return StoredBytes{tensor_->dtype, shape_, file_->bytes(*tensor_)};
  }

  void release() const override { file_->release(*tensor_); }

 private:
  const Container* file_;
  const StoredTensor* tensor_;
  std::size_t first_;
  std::vector<std::size_t> shape_;
};

}  // namespace

std::unique_ptr<WeightSource> stored_weight(const Container& file, const StoredTensor& tensor) {
  return stored_part(file, tensor, 0, tensor.shape);
}

std::unique_ptr<WeightSource> stored_part(const Container& file, const StoredTensor& tensor,
                                          std::size_t first, std::vector<std::size_t> shape) {
  return std::make_unique<StoredWeight>(file, tensor, first, std::move(shape));
}

}  // namespace assay
