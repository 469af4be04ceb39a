// SPDX-License-Identifier: Apache-2.0
// Token strings in id order, one NUL between two, plain or compressed by xz.
#include <lzma.h>

#include <algorithm>
#include <array>
#include <memory>

#include "reference/family/base/error.h"
#include "reference/family/base/mapped_file.h"
#include "reference/family/checkpoint/gguf_files.h"
#include "reference/family/tokenizer/load_tokenizer.h"

namespace assay {
namespace {

constexpr std::size_t kMaxListBytes = 64u << 20;  // the released list has 2 MB
constexpr std::uint64_t kXzMemory = 256u << 20;
constexpr std::array<unsigned char, 6> kXzMagic = {0xFD, '7', 'z', 'X', 'Z', 0};

std::string_view characters(std::span<const std::byte> bytes) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes to characters
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_xz(std::string_view text) {
  return text.size() >= kXzMagic.size() &&
         std::equal(kXzMagic.begin(), kXzMagic.end(), text.begin(),
                    [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); });
}

struct EndStream {
  void operator()(lzma_stream* stream) const {
    lzma_end(stream);
    delete stream;  // NOLINT(cppcoreguidelines-owning-memory): the deleter of unique_ptr
  }
};

std::string decompress(std::string_view packed, const std::string& source) {
  const std::unique_ptr<lzma_stream, EndStream> stream(new lzma_stream(LZMA_STREAM_INIT));
  if (lzma_stream_decoder(stream.get(), kXzMemory, 0) != LZMA_OK) {
    throw Error(source + ": xz: got no memory for the decoder");
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters to bytes
  stream->next_in = reinterpret_cast<const std::uint8_t*>(packed.data());
  stream->avail_in = packed.size();
  std::string text;
  std::array<char, 1u << 16> buffer{};
  lzma_ret state = LZMA_OK;
  while (state == LZMA_OK && text.size() <= kMaxListBytes) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters to bytes
    stream->next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
    stream->avail_out = buffer.size();
    state = lzma_code(stream.get(), LZMA_FINISH);
    text.append(buffer.data(), buffer.size() - stream->avail_out);
  }
  if (text.size() > kMaxListBytes) {
    throw Error(source + ": xz: got more than " + std::to_string(kMaxListBytes) +
                " bytes, expected fewer");
  }
  if (state != LZMA_STREAM_END) {
    throw Error(source + ": xz: got damaged or truncated data, expected a whole stream");
  }
  return text;
}

std::vector<std::string> split_at_nul(std::string_view text, const std::string& source) {
  if (!text.empty() && text.back() == '\0') {
    text.remove_suffix(1);  // a list may end in a NUL, too
  }
  const auto separators = static_cast<std::size_t>(std::ranges::count(text, '\0'));
  if (separators >= kMaxVocabulary) {
    throw Error(source + ": got " + std::to_string(separators + 1) + " tokens, expected at most " +
                std::to_string(kMaxVocabulary));
  }
  std::vector<std::string> tokens;
  tokens.reserve(separators + 1);
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    tokens.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return tokens;
}

}  // namespace

Vocabulary read_vocabulary_list(const std::filesystem::path& path) {
  const MappedFile file = MappedFile::open(path, path.string());
  Vocabulary vocabulary;
  vocabulary.source = path.string();
  if (file.bytes().size() > kMaxListBytes) {
    throw Error(vocabulary.source + ": got " + std::to_string(file.bytes().size()) +
                " bytes, expected at most " + std::to_string(kMaxListBytes));
  }
  const std::string_view stored = characters(file.bytes());
  if (is_xz(stored)) {
    vocabulary.tokens = split_at_nul(decompress(stored, vocabulary.source), vocabulary.source);
  } else {
    vocabulary.tokens = split_at_nul(stored, vocabulary.source);
  }
  check_sizes(vocabulary);
  vocabulary.merges = rebuild_merges(vocabulary.tokens);
  vocabulary.added = control_tokens(vocabulary.tokens);
  return vocabulary;
}

Vocabulary read_any_tokenizer(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    return read_checkpoint_tokenizer(path);
  }
  std::string_view start;
  const MappedFile file = MappedFile::open(path, path.string());
  start = characters(file.bytes()).substr(0, 4096);
  if (start.substr(0, 4) == "GGUF") {
    return read_gguf_tokenizer(path);
  }
  const std::size_t first = start.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && start[first] == '{' &&
                    start.find('\0') == std::string_view::npos;
  return json ? read_tokenizer_json(path) : read_vocabulary_list(path);
}

Vocabulary read_checkpoint_tokenizer(const std::filesystem::path& checkpoint) {
  if (is_gguf_checkpoint(checkpoint)) {
    return read_gguf_tokenizer(open_gguf_heads(checkpoint).model->path());
  }
  const std::filesystem::path file = checkpoint / "tokenizer.json";
  if (!std::filesystem::exists(file)) {
    throw Error(checkpoint.string() + ": got no tokenizer.json, expected one beside config.json");
  }
  return read_tokenizer_json(file);
}

}  // namespace assay
