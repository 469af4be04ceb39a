// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf_metadata.h"

#include <array>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/byte_reader.h"

namespace assay {
namespace {

constexpr std::uint64_t kMaxKeys = 1u << 16;
constexpr std::size_t kMaxArrayDepth = 4;
constexpr std::size_t kArrayHead = sizeof(std::uint32_t) + sizeof(std::uint64_t);

// Bytes of a value; of a string and an array the least that one can have.
std::size_t least_bytes(GgufType type) {
  switch (type) {
    case GgufType::kUint8:
    case GgufType::kInt8:
    case GgufType::kBool:
      return 1;
    case GgufType::kUint16:
    case GgufType::kInt16:
      return 2;
    case GgufType::kUint32:
    case GgufType::kInt32:
    case GgufType::kFloat32:
      return 4;
    case GgufType::kUint64:
    case GgufType::kInt64:
    case GgufType::kFloat64:
    case GgufType::kString:
      return 8;
    case GgufType::kArray:
      return 12;
  }
  return 0;
}

std::string_view read_string(ByteReader& reader, const std::string& where) {
  const auto size = reader.number<std::uint64_t>(where + "length of a string");
  return reader.text(size, where + "a string");
}

GgufType read_type(ByteReader& reader, const std::string& where) {
  const auto type = reader.number<std::uint32_t>(where + "type of a value");
  if (type > static_cast<std::uint32_t>(GgufType::kFloat64)) {
    throw Error(reader.source() + ": " + where + "type of a value: got " + std::to_string(type) +
                ", expected 0 to 12");
  }
  return static_cast<GgufType>(type);
}

// Passes over one value after the other; `where` is "key: ", for messages.
class ValueReader {
 public:
  ValueReader(ByteReader& reader, std::string where) : reader_(reader), where_(std::move(where)) {}

  GgufValue read(std::span<const std::byte> file) {
    GgufValue value;
    value.type = read_type(reader_, where_);
    const std::size_t begin = reader_.at();
    if (value.type == GgufType::kArray) {
      ByteReader head = reader_;
      value.element = read_type(head, where_);
      value.count = head.number<std::uint64_t>(where_ + "length of an array");
    }
    skip(value.type, 0);
    value.bytes = file.subspan(begin, reader_.at() - begin);
    return value;
  }

 private:
  void skip(GgufType type, std::size_t depth) {
    if (type == GgufType::kString) {
      read_string(reader_, where_);
    } else if (type == GgufType::kArray) {
      skip_array(depth);
    } else {
      reader_.take(least_bytes(type), where_ + "a value");
    }
  }

  void skip_array(std::size_t depth) {
    if (depth >= kMaxArrayDepth) {
      throw Error(reader_.source() + ": " + where_ + "an array: got more than " +
                  std::to_string(kMaxArrayDepth) + " levels, expected fewer");
    }
    const GgufType element = read_type(reader_, where_);
    const auto count = reader_.number<std::uint64_t>(where_ + "length of an array");
    const std::size_t width = least_bytes(element);
    if (count > reader_.left() / width) {
      const bool strings = element == GgufType::kString;
      throw Error(reader_.source() + ": " + where_ + (strings ? "got " : "an array: got ") +
                  std::to_string(count) +
                  (strings
                       ? " strings, expected at most " + std::to_string(reader_.left() / width) +
                             ", which the file has room for"
                       : std::string(" values, expected no more than the file holds")));
    }
    if (element != GgufType::kString && element != GgufType::kArray) {
      reader_.take(count * width, where_ + "an array");
      return;
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      skip(element, depth + 1);
    }
  }

  ByteReader& reader_;
  std::string where_;
};

template <class Number>
bool as_unsigned(ByteReader reader, std::uint64_t& value) {
  const auto number = reader.number<Number>("a value");
  if constexpr (std::is_signed_v<Number>) {
    if (number < 0) {
      return false;
    }
  }
  value = static_cast<std::uint64_t>(number);
  return true;
}

double shortest_decimal(float value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double decimal = 0;
  std::from_chars(text.data(), end, decimal);
  return decimal;
}

// False for another type and for a negative number.
bool read_integer(const GgufValue& stored, std::uint64_t& value) {
  const ByteReader reader(stored.bytes, "");
  switch (stored.type) {
    case GgufType::kUint8:
    case GgufType::kBool:
      return as_unsigned<std::uint8_t>(reader, value);
    case GgufType::kInt8:
      return as_unsigned<std::int8_t>(reader, value);
    case GgufType::kUint16:
      return as_unsigned<std::uint16_t>(reader, value);
    case GgufType::kInt16:
      return as_unsigned<std::int16_t>(reader, value);
    case GgufType::kUint32:
      return as_unsigned<std::uint32_t>(reader, value);
    case GgufType::kInt32:
      return as_unsigned<std::int32_t>(reader, value);
    case GgufType::kUint64:
      return as_unsigned<std::uint64_t>(reader, value);
    case GgufType::kInt64:
      return as_unsigned<std::int64_t>(reader, value);
    default:
      return false;
  }
}

}  // namespace

GgufMetadata::GgufMetadata(std::span<const std::byte> bytes, const std::string& label)
    : label_(label) {
  ByteReader reader(bytes, label);
  if (reader.left() < 4 || reader.text(4, "magic") != "GGUF") {
    throw Error(label + ": got another format, expected GGUF");
  }
  const auto version = reader.number<std::uint32_t>("version");
  if (version != 2 && version != 3) {
    throw Error(label + ": version: got " + std::to_string(version) + ", expected 2 or 3");
  }
  num_tensors_ = reader.number<std::uint64_t>("number of tensors");
  const auto keys = reader.number<std::uint64_t>("number of keys");
  if (keys > kMaxKeys) {
    throw Error(label + ": number of keys: got " + std::to_string(keys) + ", expected at most " +
                std::to_string(kMaxKeys));
  }
  for (std::uint64_t i = 0; i < keys; ++i) {
    const std::string_view key = read_string(reader, "key " + std::to_string(i) + ": ");
    const GgufValue value = ValueReader(reader, printable(key) + ": ").read(bytes);
    if (!values_.emplace(key, value).second) {
      fail(key, "the key twice", "it once");
    }
  }
  end_ = reader.at();
}

std::vector<std::string_view> GgufMetadata::keys() const {
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : values_) {
    keys.push_back(key);
  }
  return keys;
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto entry = values_.find(key);
  return entry == values_.end() ? nullptr : &entry->second;
}

void GgufMetadata::fail(std::string_view key, const std::string& got,
                        const std::string& expected) const {
  throw Error(label_ + ": " + printable(key) + ": got " + got + ", expected " + expected);
}

std::uint64_t GgufMetadata::integer_or(std::string_view key, std::uint64_t fallback) const {
  const GgufValue* stored = find(key);
  std::uint64_t value = fallback;
  if (stored != nullptr && !read_integer(*stored, value)) {
    fail(key, "another type or a negative number", "a non-negative integer");
  }
  return value;
}

const GgufValue& GgufMetadata::at(std::string_view key, const char* expected) const {
  const GgufValue* stored = find(key);
  if (stored == nullptr) {
    fail(key, "nothing", expected);
  }
  return *stored;
}

std::uint64_t GgufMetadata::integer(std::string_view key) const {
  at(key, "a non-negative integer");
  return integer_or(key, 0);
}

std::vector<std::uint64_t> GgufMetadata::integers(std::string_view key, std::size_t most) const {
  const GgufValue& stored = at(key, "non-negative integers");
  if (stored.type != GgufType::kArray) {
    return {integer(key)};
  }
  const std::size_t width = least_bytes(stored.element);
  if (stored.element == GgufType::kString || stored.element == GgufType::kArray ||
      stored.count > most) {
    fail(key, std::to_string(stored.count) + " values, or values of another type",
         "at most " + std::to_string(most) + " non-negative integers");
  }
  std::vector<std::uint64_t> values(stored.count);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const GgufValue value{stored.element, stored.bytes.subspan(kArrayHead + i * width, width)};
    if (!read_integer(value, values[i])) {
      fail(key, "another type or a negative number", "non-negative integers");
    }
  }
  return values;
}

double GgufMetadata::number(std::string_view key) const {
  const GgufValue& stored = at(key, "a number");
  ByteReader reader(stored.bytes, label_);
  double value = 0;
  std::uint64_t whole = 0;
  if (stored.type == GgufType::kFloat32) {
    value = shortest_decimal(reader.number<float>("a value"));
  } else if (stored.type == GgufType::kFloat64) {
    value = reader.number<double>("a value");
  } else if (read_integer(stored, whole)) {
    value = static_cast<double>(whole);
  } else {
    fail(key, "another type or a negative integer", "a number");
  }
  if (!std::isfinite(value)) {
    fail(key, std::to_string(value), "a finite number");
  }
  return value;
}

double GgufMetadata::number_or(std::string_view key, double fallback) const {
  return find(key) == nullptr ? fallback : number(key);
}

std::string GgufMetadata::text(std::string_view key) const {
  const GgufValue& stored = at(key, "a string");
  if (stored.type != GgufType::kString) {
    fail(key, "another type", "a string");
  }
  ByteReader reader(stored.bytes, label_);
  return std::string(read_string(reader, ""));
}

std::vector<std::string> GgufMetadata::strings(std::string_view key, std::size_t most) const {
  const GgufValue& stored = at(key, "strings");
  if (stored.type != GgufType::kArray || stored.element != GgufType::kString) {
    fail(key, "another type", "strings");
  }
  if (stored.count > most) {
    fail(key, std::to_string(stored.count) + " strings", "at most " + std::to_string(most));
  }
  ByteReader reader(stored.bytes, label_, kArrayHead);
  std::vector<std::string> strings;
  strings.reserve(stored.count);
  for (std::uint64_t i = 0; i < stored.count; ++i) {
    strings.emplace_back(read_string(reader, ""));
  }
  return strings;
}

}  // namespace assay
