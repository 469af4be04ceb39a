// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf_writer.h"

#include <cassert>
#include <cstring>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/gguf_metadata.h"

namespace assay {
namespace {

constexpr std::size_t kAlignment = 32;

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

template <class Number>
void append_number(std::string& bytes, Number value) {
  char raw[sizeof(Number)];
  std::memcpy(raw, &value, sizeof value);
  bytes.append(raw, sizeof value);
}

void append_string(std::string& bytes, std::string_view text) {
  append_number(bytes, std::uint64_t{text.size()});
  bytes += text;
}

std::uint32_t code(GgufType type) {
  return static_cast<std::uint32_t>(type);
}

// Sets where each tensor begins, from the start of the data section: where the one before it ends,
// padded.
void place(std::vector<StoredTensor>& tensors) {
  std::size_t end = 0;
  for (StoredTensor& tensor : tensors) {
    tensor.begin = aligned(end);
    tensor.end = tensor.begin + tensor_bytes(tensor);
    end = tensor.end;
  }
}

std::string head_of(const GgufKeys& keys, const std::vector<StoredTensor>& tensors) {
  std::string head = "GGUF";
  append_number(head, std::uint32_t{3});
  append_number(head, std::uint64_t{tensors.size()});
  append_number(head, keys.count());
  head += keys.bytes();
  for (const StoredTensor& tensor : tensors) {
    if (tensor.dtype.info().ggml_type < 0) {
      throw Error(printable(tensor.name) + ": dtype: got " + std::string(dtype_name(tensor.dtype)) +
                  ", expected one of " +
                  dtype_names([](const DTypeInfo& row) { return row.ggml_type >= 0; }));
    }
    append_string(head, tensor.name);
    append_number(head, static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto extent = tensor.shape.rbegin(); extent != tensor.shape.rend(); ++extent) {
      append_number(head, std::uint64_t{*extent});
    }
    append_number(head, static_cast<std::uint32_t>(tensor.dtype.info().ggml_type));
    append_number(head, std::uint64_t{tensor.begin});
  }
  head.resize(aligned(head.size()));
  return head;
}

}  // namespace

template <class Number>
void GgufKeys::put(Number value) {
  append_number(bytes_, value);
}

void GgufKeys::put_string(std::string_view value) {
  append_string(bytes_, value);
}

void GgufKeys::begin(std::string_view key, std::uint32_t type) {
  put_string(key);
  put(type);
  ++count_;
}

void GgufKeys::begin_array(std::string_view key, std::uint32_t type, std::size_t count) {
  begin(key, code(GgufType::kArray));
  put(type);
  put(std::uint64_t{count});
}

void GgufKeys::add_uint32(std::string_view key, std::uint32_t value) {
  begin(key, code(GgufType::kUint32));
  put(value);
}

void GgufKeys::add_int32(std::string_view key, std::int32_t value) {
  begin(key, code(GgufType::kInt32));
  put(value);
}

void GgufKeys::add_float32(std::string_view key, double value) {
  begin(key, code(GgufType::kFloat32));
  put(static_cast<float>(value));
}

void GgufKeys::add_bool(std::string_view key, bool value) {
  begin(key, code(GgufType::kBool));
  put(static_cast<std::uint8_t>(value ? 1 : 0));
}

void GgufKeys::add_string(std::string_view key, std::string_view value) {
  begin(key, code(GgufType::kString));
  put_string(value);
}

void GgufKeys::add_int32s(std::string_view key, std::span<const std::int32_t> values) {
  begin_array(key, code(GgufType::kInt32), values.size());
  for (const std::int32_t value : values) {
    put(value);
  }
}

void GgufKeys::add_float32s(std::string_view key, std::span<const float> values) {
  begin_array(key, code(GgufType::kFloat32), values.size());
  for (const float value : values) {
    put(value);
  }
}

void GgufKeys::add_bools(std::string_view key, const std::vector<bool>& values) {
  begin_array(key, code(GgufType::kBool), values.size());
  for (const bool value : values) {
    put(static_cast<std::uint8_t>(value ? 1 : 0));
  }
}

void GgufKeys::add_strings(std::string_view key, std::span<const std::string> values) {
  begin_array(key, code(GgufType::kString), values.size());
  for (const std::string& value : values) {
    put_string(value);
  }
}

GgufWriter::GgufWriter(const std::filesystem::path& path, const GgufKeys& keys,
                       std::vector<StoredTensor> tensors)
    : file_(path), tensors_(std::move(tensors)) {
  place(tensors_);
  const std::string head = head_of(keys, tensors_);
  file_.append(std::as_bytes(std::span(head)));
  data_begin_ = head.size();
}

void GgufWriter::append(std::span<const std::byte> bytes) {
  assert(next_ < tensors_.size());
  assert(file_.size() + bytes.size() <= data_begin_ + tensors_[next_].end);
  file_.append(bytes);
  while (next_ < tensors_.size() && file_.size() == data_begin_ + tensors_[next_].end) {
    constexpr std::byte kZeros[kAlignment] = {};
    file_.append(std::span(kZeros).first(aligned(file_.size()) - file_.size()));
    ++next_;  // a tensor without elements is passed over
  }
}

void GgufWriter::finish() {
  const std::size_t expected = tensors_.empty() ? 0 : tensors_.back().end;
  const std::size_t got = file_.size() - data_begin_;
  if (got != aligned(expected)) {
    throw Error(file_.target().string() + ": data section: got " + std::to_string(got) +
                " bytes, expected " + std::to_string(aligned(expected)));
  }
  file_.close();
}

}  // namespace assay
