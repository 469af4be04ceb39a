// SPDX-License-Identifier: Apache-2.0
// The tokenizer block of a GGUF file (spec prompting 1.7): header, then key, type, value; only the
// metadata is read. Versions 2 and 3, little-endian.
#include <algorithm>
#include <optional>

#include "reference/family/base/error.h"
#include "reference/family/base/mapped_file.h"
#include "reference/family/tokenizer/byte_reader.h"
#include "reference/family/tokenizer/load_tokenizer.h"

namespace assay {
namespace {

constexpr std::uint64_t kMaxKeys = 1u << 16;
constexpr std::size_t kMaxArrayDepth = 4;

enum class GgufType : std::uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

std::size_t width_of(GgufType type) {
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
      return 8;
    case GgufType::kString:
    case GgufType::kArray:
      break;
  }
  return 0;
}

class GgufReader {
 public:
  GgufReader(std::span<const std::byte> bytes, const std::string& source)
      : reader_(bytes, source) {}

  // Keys of the header; throws when this is no GGUF file that we know.
  std::uint64_t read_header() {
    if (reader_.left() < 4 || reader_.text(4, "magic") != "GGUF") {
      throw Error(reader_.source() + ": got another format, expected GGUF");
    }
    const auto version = reader_.number<std::uint32_t>("version");
    if (version != 2 && version != 3) {
      throw Error(reader_.source() + ": version: got " + std::to_string(version) +
                  ", expected 2 or 3");
    }
    reader_.number<std::uint64_t>("number of tensors");
    const auto keys = reader_.number<std::uint64_t>("number of keys");
    if (keys > kMaxKeys) {
      throw Error(reader_.source() + ": number of keys: got " + std::to_string(keys) +
                  ", expected at most " + std::to_string(kMaxKeys));
    }
    return keys;
  }

  std::string_view string() {
    const auto size = reader_.number<std::uint64_t>("length of a string");
    return reader_.text(size, "a string");
  }

  GgufType type() {
    const auto type = reader_.number<std::uint32_t>("type of a value");
    if (type > static_cast<std::uint32_t>(GgufType::kFloat64)) {
      throw Error(reader_.source() + ": type of a value: got " + std::to_string(type) +
                  ", expected 0 to 12");
    }
    return static_cast<GgufType>(type);
  }

  void skip(GgufType type, std::size_t depth = 0) {
    if (type == GgufType::kString) {
      string();
    } else if (type == GgufType::kArray) {
      skip_array(depth);
    } else {
      reader_.take(width_of(type), "a value");
    }
  }

  // The strings of an array of strings that `what` names.
  std::vector<std::string> strings(GgufType found, const std::string& what, std::size_t most) {
    if (found != GgufType::kArray || type() != GgufType::kString) {
      throw Error(reader_.source() + ": " + what + ": got another type, expected strings");
    }
    const auto count = reader_.number<std::uint64_t>("length of an array");
    if (count > most || count > reader_.left() / sizeof(std::uint64_t)) {
      throw Error(reader_.source() + ": " + what + ": got " + std::to_string(count) +
                  " strings, expected at most " + std::to_string(most) + " and no more than the " +
                  "file holds");
    }
    std::vector<std::string> strings;
    strings.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      strings.emplace_back(string());
    }
    return strings;
  }

 private:
  void skip_array(std::size_t depth) {
    if (depth >= kMaxArrayDepth) {
      throw Error(reader_.source() + ": an array: got more than " + std::to_string(kMaxArrayDepth) +
                  " levels, expected fewer");
    }
    const GgufType inner = type();
    const auto count = reader_.number<std::uint64_t>("length of an array");
    if (const std::size_t width = width_of(inner); width > 0) {
      if (count > reader_.left() / width) {
        throw Error(reader_.source() + ": an array: got " + std::to_string(count) +
                    " values, expected no more than the file holds");
      }
      reader_.take(count * width, "an array");
      return;
    }
    for (std::uint64_t i = 0; i < count; ++i) {  // each takes 8 bytes or throws
      skip(inner, depth + 1);
    }
  }

  ByteReader reader_;
};

// "left right" to ids.
Merges parse_merges(const std::vector<std::string>& lines, const Vocabulary& vocabulary) {
  const TokenIds ids(vocabulary.tokens);
  Merges merges;
  merges.reserve(lines.size());
  for (const std::string& line : lines) {
    const std::string_view text = line;
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::int32_t left = ids.find(text.substr(0, space));
    const std::int32_t right = space == text.size() ? kNoToken : ids.find(text.substr(space + 1));
    if (left == kNoToken || right == kNoToken) {
      throw Error(vocabulary.source + ": tokenizer.ggml.merges[" + std::to_string(merges.size()) +
                  "]: got '" + printable(line) + "', expected two tokens and a space between");
    }
    merges.emplace_back(left, right);
  }
  return merges;
}

}  // namespace

Vocabulary read_gguf_tokenizer(const std::filesystem::path& path) {
  const MappedFile file = MappedFile::open(path, path.string());
  Vocabulary vocabulary;
  vocabulary.source = path.string();
  GgufReader reader(file.bytes(), vocabulary.source);
  std::optional<std::vector<std::string>> merges;
  const std::uint64_t keys = reader.read_header();
  for (std::uint64_t i = 0; i < keys; ++i) {
    const std::string key(reader.string());
    const GgufType type = reader.type();
    if (key == "tokenizer.ggml.tokens") {
      vocabulary.tokens = reader.strings(type, key, kMaxVocabulary);
    } else if (key == "tokenizer.ggml.merges") {
      merges = reader.strings(type, key, kMaxMerges);
    } else {
      reader.skip(type);
    }
  }
  if (vocabulary.tokens.empty()) {
    throw Error(vocabulary.source + ": tokenizer.ggml.tokens: got nothing, expected strings");
  }
  check_sizes(vocabulary);
  vocabulary.merges =
      merges ? parse_merges(*merges, vocabulary) : rebuild_merges(vocabulary.tokens);
  vocabulary.added = control_tokens(vocabulary.tokens);
  return vocabulary;
}

}  // namespace assay
