// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/safetensors_header.h"

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/base/json_library.h"

namespace assay {
namespace {

constexpr std::size_t kMaxAxes = 16;

// Where in the header the parser is; each value that the place does not allow is an error.
enum class Place {
  kStart,        // before the outer brace
  kTensors,      // in the outer object
  kEntry,        // after a tensor's name
  kFields,       // in a tensor's object
  kDType,        // after "dtype"
  kShape,        // after "shape"
  kShapeList,    // in its list
  kOffsets,      // after "data_offsets"
  kOffsetsList,  // in its list
  kMetadata,     // after "__metadata__"
  kMetadataMap,  // in its object
  kEnd,
};

const char* expectation(Place place) {
  switch (place) {
    case Place::kDType:
      return "a string as dtype";
    case Place::kShape:
    case Place::kShapeList:
      return "a list of non-negative integers as shape";
    case Place::kOffsets:
    case Place::kOffsetsList:
      return "two non-negative integers as data_offsets";
    case Place::kMetadata:
    case Place::kMetadataMap:
      return "an object of strings as __metadata__";
    default:
      return "an object with dtype, shape and data_offsets";
  }
}

class HeaderReader final : public JsonEvents {
 public:
  explicit HeaderReader(std::string label) : label_(std::move(label)) {}

  std::vector<StoredTensor> take() { return std::move(tensors_); }

  // MLX writes null where there is no metadata; the format's own library takes it, too.
  void null() override {
    if (place_ != Place::kMetadata) {
      refuse("null");
    }
    place_ = Place::kTensors;
  }

  void boolean(bool value) override { refuse(value ? "true" : "false"); }
  void integer(std::int64_t value) override { refuse(std::to_string(value)); }
  void real(double /*value*/, const std::string& written) override { refuse(printable(written)); }

  void unsigned_integer(std::uint64_t value) override {
    if (place_ == Place::kShapeList) {
      if (current().shape.size() == kMaxAxes) {
        refuse("more than " + std::to_string(kMaxAxes) + " axes");
      }
      current().shape.push_back(value);
    } else if (place_ == Place::kOffsetsList && offsets_ < 2) {
      (offsets_ == 0 ? current().begin : current().end) = value;
      ++offsets_;
    } else {
      refuse(std::to_string(value));
    }
  }

  void string(std::string& value) override {
    if (place_ == Place::kDType) {
      const auto dtype = dtype_from_name(value);
      if (!dtype) {
        throw Error(where() + "dtype: got \"" + printable(value) + "\", expected one of " +
                    dtype_names([](const DTypeInfo& row) { return row.in_safetensors; }));
      }
      current().dtype = *dtype;
      place_ = Place::kFields;
    } else if (place_ != Place::kMetadataMap) {
      refuse("\"" + printable(value) + "\"");
    }
  }

  void start_object() override {
    if (place_ == Place::kStart) {
      place_ = Place::kTensors;
    } else if (place_ == Place::kEntry) {
      place_ = Place::kFields;
      seen_ = 0;
    } else if (place_ == Place::kMetadata) {
      place_ = Place::kMetadataMap;
    } else {
      refuse("an object");
    }
  }

  void key(std::string& name) override {
    if (place_ == Place::kTensors) {
      start_tensor(name);
    } else if (place_ == Place::kFields) {
      start_field(name);
    }
  }

  void end_object() override {
    if (place_ == Place::kFields) {
      if (seen_ != 7) {
        throw Error(where() + "got a part of the fields, expected dtype, shape and data_offsets");
      }
      place_ = Place::kTensors;
    } else {
      place_ = place_ == Place::kMetadataMap ? Place::kTensors : Place::kEnd;
    }
  }

  void start_array() override {
    if (place_ == Place::kShape) {
      place_ = Place::kShapeList;
    } else if (place_ == Place::kOffsets) {
      place_ = Place::kOffsetsList;
      offsets_ = 0;
    } else {
      refuse("an array");
    }
  }

  void end_array() override {
    if (place_ == Place::kOffsetsList && offsets_ != 2) {
      refuse(std::to_string(offsets_) + " numbers");
    }
    place_ = Place::kFields;
  }

  void error(std::size_t byte, bool /*out_of_range*/) override {
    throw Error(label_ + ": header: got an error at byte " + std::to_string(byte) +
                ", expected valid json in utf-8");
  }

 private:
  StoredTensor& current() { return tensors_.back(); }

  std::string where() const {
    const bool inside = !tensors_.empty() && place_ >= Place::kEntry && place_ < Place::kMetadata;
    return label_ + ": " + (inside ? printable(tensors_.back().name) : "header") + ": ";
  }

  [[noreturn]] void refuse(const std::string& got) const {
    throw Error(where() + "got " + got + ", expected " + expectation(place_));
  }

  void start_tensor(const std::string& name) {
    if (!names_.insert(name).second) {
      throw Error(label_ + ": " + printable(name) + ": got the name twice, expected it once");
    }
    if (name == "__metadata__") {
      place_ = Place::kMetadata;
      return;
    }
    tensors_.emplace_back().name = name;
    place_ = Place::kEntry;
  }

  void start_field(const std::string& name) {
    const unsigned bit = name == "dtype"          ? 1u
                         : name == "shape"        ? 2u
                         : name == "data_offsets" ? 4u
                                                  : 0u;
    if (bit == 0 || (seen_ & bit) != 0) {
      throw Error(where() + "got the field \"" + printable(name) +
                  "\", expected dtype, shape and data_offsets, once each");
    }
    seen_ |= bit;
    place_ = bit == 1 ? Place::kDType : bit == 2 ? Place::kShape : Place::kOffsets;
  }

  std::string label_;
  Place place_ = Place::kStart;
  unsigned seen_ = 0;  // a bit for each field of the tensor at hand
  int offsets_ = 0;
  std::vector<StoredTensor> tensors_;
  std::unordered_set<std::string> names_;
};

}  // namespace

std::vector<StoredTensor> parse_safetensors_header(std::string_view header,
                                                   const std::string& label) {
  HeaderReader reader(label);
  read_json_events(header, reader);
  return reader.take();
}

}  // namespace assay
