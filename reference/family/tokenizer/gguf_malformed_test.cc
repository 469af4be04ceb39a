// SPDX-License-Identifier: Apache-2.0
// GGUF files that are none, from the first byte to the tokenizer: each gets a line of its own.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_gguf_model.h"
#include "reference/family/tokenizer/load_tokenizer.h"
#include "reference/family/tokenizer/tokenizer.h"

namespace assay {
namespace {

constexpr std::uint32_t kF32 = 0, kQ2K = 10, kQ8Blocks = 8, kRemoved = 4, kInt32 = 5;
constexpr std::uint64_t kHuge = ~std::uint64_t{0};
const std::string kTokens = "tokenizer.ggml.tokens";
const std::string kMerges = "tokenizer.ggml.merges";

struct Malformed {
  std::string what;
  std::string got;
  std::string expected;
};

using Lines = std::vector<Malformed>;

const TestDirectory& folder() {
  static const TestDirectory directory;
  return directory;
}

// The line, from the name of the file on.
template <class Action>
std::string line_of_action(const Action& action) {
  std::string line = error_of(action);
  for (const std::string place = folder().path().string() + "/";;) {
    const std::size_t at = line.find(place);
    if (at == std::string::npos) {
      return line;
    }
    line.erase(at, place.size());
  }
}

std::string line_of(const std::string& bytes, const std::string& name = "m.gguf") {
  const auto path = folder().write(name, bytes);
  return line_of_action([&] { Checkpoint::open(path); });
}

// What is said of the model of test_gguf_model.h after a change.
std::string line_after(const std::function<void(GgufModel&)>& change,
                       const std::string& name = "m.gguf") {
  GgufModel model;
  change(model);
  return line_of(model.file(), name);
}

GgufFile head_of(std::uint64_t keys, std::uint64_t tensors = 0) {
  GgufFile file(keys + 1, 3, tensors);
  return file.key("general.architecture", GgufFile::kString).string("gemma4");
}

Lines headers() {
  const std::string whole = GgufModel().file();
  const auto cut = [&](std::size_t size) { return line_of(whole.substr(0, size)); };
  return {
      {"magic alone", cut(4), "m.gguf: version: got 0 bytes, expected at least 4 (byte 4)"},
      {"version cut", cut(6), "m.gguf: version: got 2 bytes, expected at least 4 (byte 4)"},
      {"count of tensors cut", cut(12),
       "m.gguf: number of tensors: got 4 bytes, expected at least 8 (byte 8)"},
      {"count of keys cut", cut(20),
       "m.gguf: number of keys: got 4 bytes, expected at least 8 (byte 16)"},
      {"no key where one should be", cut(24),
       "m.gguf: key 0: length of a string: got 0 bytes, expected at least 8 (byte 24)"},
      {"version 1", line_of(GgufFile(0, 1).text()), "m.gguf: version: got 1, expected 2 or 3"},
      {"another byte order", line_of(GgufFile(0, 3u << 24).text()),
       "m.gguf: version: got 50331648, expected 2 or 3"},
      {"too many keys", line_of(GgufFile(1u << 20).text()),
       "m.gguf: number of keys: got 1048576, expected at most 65536"},
      {"most keys", line_of(GgufFile(kHuge).text()),
       "m.gguf: number of keys: got 18446744073709551615, expected at most 65536"},
      {"more tensors than bytes", line_of(head_of(0, kHuge).text()),
       "m.gguf: number of tensors: got 18446744073709551615, expected at most 0, no more than the "
       "file holds"},
  };
}

Lines keys() {
  const auto one = [](const std::function<void(GgufFile&)>& add) {
    GgufFile file = head_of(1);
    add(file);
    return line_of(file.text());
  };
  const auto array = [&](std::uint32_t type, std::uint64_t count) {
    return one([&](GgufFile& f) { f.key("a", GgufFile::kArray).array(type, count); });
  };
  return {
      {"length of a key", one([](GgufFile& f) { f.number(kHuge); }),
       "m.gguf: key 1: a string: got 0 bytes, expected at least 18446744073709551615 (byte 78)"},
      {"key cut", one([](GgufFile& f) { f.number(std::uint64_t{9}).bytes("abc"); }),
       "m.gguf: key 1: a string: got 3 bytes, expected at least 9 (byte 78)"},
      {"no type", one([](GgufFile& f) { f.string("a"); }),
       "m.gguf: a: type of a value: got 0 bytes, expected at least 4 (byte 79)"},
      {"unknown type", one([](GgufFile& f) { f.key("a", 13); }),
       "m.gguf: a: type of a value: got 13, expected 0 to 12"},
      {"value cut", one([](GgufFile& f) { f.key("a", GgufFile::kUint64).number(7u); }),
       "m.gguf: a: a value: got 4 bytes, expected at least 8 (byte 83)"},
      {"length of a string cut", one([](GgufFile& f) { f.key("a", GgufFile::kString); }),
       "m.gguf: a: length of a string: got 0 bytes, expected at least 8 (byte 83)"},
      {"string cut",
       one([](GgufFile& f) { f.key("a", GgufFile::kString).number(kHuge).bytes("bc"); }),
       "m.gguf: a: a string: got 2 bytes, expected at least 18446744073709551615 (byte 91)"},
      {"unknown type of an array", array(99, 1),
       "m.gguf: a: type of a value: got 99, expected 0 to 12"},
      {"length of an array cut",
       one([](GgufFile& f) { f.key("a", GgufFile::kArray).number(GgufFile::kUint8); }),
       "m.gguf: a: length of an array: got 0 bytes, expected at least 8 (byte 87)"},
      {"array of numbers beyond the file", array(GgufFile::kUint32, kHuge),
       "m.gguf: a: an array: got 18446744073709551615 values, expected no more than the file "
       "holds"},
      {"array of strings beyond the file", array(GgufFile::kString, kHuge),
       "m.gguf: a: got 18446744073709551615 strings, expected at most 0, which the file has room "
       "for"},
      {"nested arrays", one([](GgufFile& f) {
         f.key("a", GgufFile::kArray);
         for (int depth = 0; depth < 6; ++depth) {
           f.array(GgufFile::kArray, 1);
         }
         f.array(GgufFile::kUint8, 1).bytes(std::string(64, 'x'));
       }),
       "m.gguf: a: an array: got more than 4 levels, expected fewer"},
      {"key twice",
       one([](GgufFile& f) { f.key("general.architecture", GgufFile::kUint32).number(1u); }),
       "m.gguf: general.architecture: got the key twice, expected it once"},
      {"alignment",
       one([](GgufFile& f) { f.key("general.alignment", GgufFile::kUint32).number(48u); }),
       "m.gguf: general.alignment: got 48, expected a power of two of at most 1048576"},
      {"no architecture", line_after([](GgufModel& m) { m.keys.erase("general.architecture"); }),
       "m.gguf: general.architecture: got nothing, expected a string"},
  };
}

Lines descriptions() {
  using Extents = std::vector<std::uint64_t>;
  const auto one = [](const Extents& extents, std::uint32_t type, std::uint64_t offset) {
    GgufFile file = head_of(0, 1);
    return line_of(file.tensor("a", extents, type, offset).pad(32).bytes("12345678").text());
  };
  const auto two = [](const std::string& second, std::uint64_t offset) {
    GgufFile file = head_of(0, 2);
    file.tensor("a", {9}, kF32, 0).tensor(second, {1}, kF32, offset);
    return line_of(file.pad(32).bytes(std::string(64, '\0')).text());
  };
  const std::string whole = GgufModel().file();
  return {
      {"five axes", one({1, 1, 1, 1, 1}, kF32, 0),
       "m.gguf: a: number of axes: got 5, expected at most 4"},
      {"unknown type", one({2}, 99, 0),
       "m.gguf: a: type: got 99, expected that of one of BF16, F16, F32, F64, I64, I32, I16, I8, "
       "Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, IQ4_NL, MXFP4, NVFP4"},
      {"type without a reader", one({256}, kQ2K, 0),
       "m.gguf: a: type: got Q2_K, expected that of one of BF16, F16, F32, F64, I64, I32, I16, I8, "
       "Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, IQ4_NL, MXFP4, NVFP4"},
      {"type that is no more", one({32}, kRemoved, 0),
       "m.gguf: a: type: got Q4_2, expected that of one of BF16, F16, F32, F64, I64, I32, I16, I8, "
       "Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, IQ4_NL, MXFP4, NVFP4"},
      {"part of a block", one({33}, kQ8Blocks, 0),
       "m.gguf: a: shape: got [33], expected rows of whole blocks of 32 elements, as Q8_0 has "
       "them"},
      {"shape beyond 64 bits", one({1ULL << 32, 1ULL << 32}, kF32, 0),
       "m.gguf: a: shape: got [4294967296, 4294967296], expected a product of fewer than 2^64 "
       "bytes"},
      {"data beyond the file", one({3}, kF32, 0),
       "m.gguf: a: offset: got 12 bytes from byte 0, expected a range within the 8 bytes of the "
       "data section"},
      {"offset beyond the file", one({1}, kF32, 1ULL << 40),
       "m.gguf: a: offset: got 4 bytes from byte 1099511627776, expected a range within the 8 "
       "bytes of the data section"},
      {"offset between", one({1}, kF32, 4),
       "m.gguf: a: offset: got 4, expected a multiple of the alignment 32"},
      {"name twice", two("a", 64), "m.gguf: a: got the name twice, expected it once"},
      {"overlap", two("b", 32),
       "m.gguf: b: offset: got 32 (an overlap), expected at least 36, the end of a"},
      {"length of a name", line_of(head_of(0, 1).number(kHuge).pad(64).text()),
       "m.gguf: a tensor's name: got 50 bytes, expected at least 18446744073709551615 (byte 78)"},
      {"last tensor cut", line_of(whole.substr(0, whole.size() - 32)),
       "m.gguf: token_embd.weight: offset: got 160 bytes from byte 1664, expected a range within "
       "the 1792 bytes of the data section"},
  };
}

Lines tensors() {
  return {
      {"missing", line_after([](GgufModel& m) { m.tensors.erase("blk.1.ffn_up.weight"); }),
       "m.gguf: blk.1.ffn_up.weight: got nothing, expected a tensor [6, 4]"},
      {"transposed", line_after([](GgufModel& m) {
         m.tensor("blk.1.ffn_up.weight", {4, 6});
       }),
       "m.gguf: blk.1.ffn_up.weight: shape: got [4, 6], expected [6, 4]"},
      {"unknown", line_after([](GgufModel& m) {
         m.tensor("blk.2.ffn_up.weight", {6, 4});
       }),
       "m.gguf: blk.2.ffn_up.weight: got a tensor that is not known, expected those of gemma4"},
      {"factor of another size",
       line_after([](GgufModel& m) { m.tensor("blk.0.attn_k.scale", {3}); }),
       "m.gguf: blk.0.attn_k.scale: got a tensor that is not known, expected those of gemma4"},
      {"head of another size", line_after([](GgufModel& m) {
         m.tensor("output.weight", {11, 4});
       }),
       "m.gguf: output.weight: shape: got [11, 4], expected [10, 4]"},
      {"no table of tokens", line_after([](GgufModel& m) { m.tensors.erase("token_embd.weight"); }),
       "m.gguf: token_embd.weight: got nothing, expected a tensor with a row for each token"},
      {"no axes", line_after([](GgufModel& m) { m.tensor("output_norm.weight", {}); }),
       "m.gguf: output_norm.weight: shape: got [], expected [4]"},
      {"an axis of nothing", line_after([](GgufModel& m) {
         m.tensor("blk.0.attn_q.weight", {0, 4});
       }),
       "m.gguf: blk.0.attn_q.weight: shape: got [0, 4], expected [4, 4]"},
      {"no rope_freqs", line_after([](GgufModel& m) { m.tensors.erase("rope_freqs.weight"); }),
       "m.gguf: rope_freqs.weight: got nothing, expected a tensor [2]"},
      {"rope_freqs of another size", line_after([](GgufModel& m) {
         m.tensors["rope_freqs.weight"] = {{3}, {1, 1, 1}};
       }),
       "m.gguf: rope_freqs.weight: got [3], expected a tensor [2]"},
      {"rope_freqs of numbers between", line_after([](GgufModel& m) {
         m.tensors["rope_freqs.weight"] = {{2}, {1, 65504}};
       }),
       "m.gguf: rope_freqs.weight: got other numbers, expected ones and then 1e30, in F32 "
       "(proportional RoPE)"},
  };
}

Lines missing_keys() {
  const std::string one = "a non-negative integer", many = "non-negative integers";
  const std::string number = "a number";
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"block_count", one},
      {"context_length", one},
      {"embedding_length", one},
      {"feed_forward_length", many},
      {"attention.head_count", many},
      {"attention.head_count_kv", many},
      {"attention.key_length", one},
      {"attention.key_length_swa", one},
      {"attention.sliding_window", one},
      {"attention.sliding_window_pattern", many},
      {"attention.layer_norm_rms_epsilon", number},
      {"rope.freq_base", number},
  };
  Lines lines;
  for (const auto& [key, kind] : kinds) {
    const std::string full = "gemma4." + key;
    lines.push_back({full, line_after([&](GgufModel& m) { m.keys.erase(full); }),
                     "m.gguf: " + full + ": got nothing, expected " + kind});
  }
  return lines;
}

std::string integer(const std::string& key, std::uint32_t value) {
  return line_after([&](GgufModel& m) { m.integer(key, value); });
}
std::string several(const std::string& key, const std::vector<std::uint32_t>& values) {
  return line_after([&](GgufModel& m) { m.integers(key, values); });
}
std::string real(const std::string& key, float value) {
  return line_after([&](GgufModel& m) { m.real(key, value); });
}
std::string text(const std::string& key, const std::string& value) {
  return line_after([&](GgufModel& m) { m.text(key, value); });
}

Lines layers() {
  return {
      {"another model", text("general.architecture", "llama"),
       "m.gguf: general.architecture: got 'llama', expected gemma4 or gemma4-assistant"},
      {"architecture by number", integer("general.architecture", 4),
       "m.gguf: general.architecture: got another type, expected a string"},
      {"no layers", integer("gemma4.block_count", 0),
       "m.gguf: gemma4.block_count: got 0, expected 1 to 4096"},
      {"too many layers", integer("gemma4.block_count", 1u << 31),
       "m.gguf: gemma4.block_count: got 2147483648, expected 1 to 4096"},
      {"layers in words", text("gemma4.block_count", "two"),
       "m.gguf: gemma4.block_count: got another type or a negative number, expected a non-negative "
       "integer"},
      {"epsilon in words", text("gemma4.attention.layer_norm_rms_epsilon", "small"),
       "m.gguf: gemma4.attention.layer_norm_rms_epsilon: got another type or a negative integer, "
       "expected a number"},
      {"another number of layers", integer("gemma4.block_count", 3),
       "m.gguf: gemma4.attention.sliding_window_pattern: got 2 values, expected one for each of 3 "
       "layers"},
      {"one head too many", several("gemma4.attention.head_count_kv", {1, 1, 1}),
       "m.gguf: gemma4.attention.head_count_kv: got 3 values, expected one for each of 2 layers"},
      {"heads by layer", several("gemma4.attention.head_count", {2, 4}),
       "m.gguf: gemma4.attention.head_count: got several values, expected one for all layers"},
      {"full layers of other heads", several("gemma4.attention.head_count_kv", {1, 2}),
       "m.gguf: gemma4.attention.head_count_kv: got 2 for full layers that have attn_v, expected "
       "the number of sliding layers"},
      {"widths by layer", several("gemma4.feed_forward_length", {6, 7}),
       "m.gguf: gemma4.feed_forward_length: got 7 for layer 1, expected 6: one width, twice it "
       "where keys are shared or nowhere"},
      {"values of another width", integer("gemma4.attention.value_length", 2),
       "m.gguf: gemma4.attention.value_length: got 2, expected 4, as of keys"},
      {"sliding last", several("gemma4.attention.sliding_window_pattern", {0, 1}),
       "m.gguf: text_config.layer_types: got an array of 2 values, expected full attention in the "
       "last layer"},
  };
}

Lines config_values() {
  return {
      {"rope scaling", real("gemma4.rope.scaling.factor", 8),
       "m.gguf: gemma4.rope.scaling.factor: got 8.000000, expected 1"},
      {"epsilon below 0", real("gemma4.attention.layer_norm_rms_epsilon", -1),
       "m.gguf: text_config.rms_norm_eps: got -1.0, expected a number between 0.0 and 1.0"},
      {"epsilon that is no number", real("gemma4.attention.layer_norm_rms_epsilon", NAN),
       "m.gguf: gemma4.attention.layer_norm_rms_epsilon: got nan, expected a finite number"},
      {"no window", integer("gemma4.attention.sliding_window", 0),
       "m.gguf: text_config.sliding_window: got 0, expected a positive integer"},
      {"no heads", integer("gemma4.attention.head_count", 0),
       "m.gguf: text_config.num_attention_heads: got 0, expected a positive integer"},
      {"an odd width of a head", integer("gemma4.attention.key_length_swa", 3),
       "m.gguf: text_config.head_dim: got 3, expected an even number"},
      {"heads that the tensors have not", integer("gemma4.attention.head_count", 3),
       "m.gguf: blk.0.attn_q.weight: shape: got [4, 4], expected [6, 4]"},
      {"all layers share", integer("gemma4.attention.shared_kv_layers", 2),
       "m.gguf: text_config.num_kv_shared_layers: got 2, expected at most 1"},
      {"per-layer inputs without a table", integer("gemma4.embedding_length_per_layer_input", 4),
       "m.gguf: per_layer_token_embd.weight: got nothing, expected a tensor with a row for each "
       "token"},
      {"experts of which none is used", integer("gemma4.expert_count", 2),
       "m.gguf: gemma4.expert_used_count: got nothing, expected a non-negative integer"},
      {"a base that is no number", real("gemma4.rope.freq_base", INFINITY),
       "m.gguf: gemma4.rope.freq_base: got inf, expected a finite number"},
  };
}

GgufModel encoders(bool vision) {
  GgufModel clip;
  clip.keys.clear();
  clip.tensors.clear();
  clip.text("general.architecture", "clip");
  if (vision) {
    clip.tensor("v.patch_embd.weight", {4, 3, 2, 2});
  }
  return clip;
}

Lines several_files() {
  const auto model = folder().write("model.gguf", GgufModel().file());
  const auto with = [&](const GgufModel& clip) {
    const auto path = folder().write("clip.gguf", clip.file());
    return line_of_action([&] { Checkpoint::open(model.string() + "," + path.string()); });
  };
  GgufModel odd = encoders(false), same = encoders(false), other = encoders(true);
  odd.tensor("v.odd", {1});
  same.tensor("output_norm.weight", {4});
  other.text("clip.vision.projector_type", "llava");
  GgufModel vision = encoders(true);
  vision.text("clip.vision.projector_type", "gemma4v");
  const auto split = [](const std::string& name, std::uint32_t number) {
    return line_after(
        [&](GgufModel& m) {
          m.integer("split.count", 2);
          m.integer("split.no", number);
        },
        name);
  };
  return {
      {"two models", with(GgufModel()),
       "clip.gguf: got a second model beside model.gguf, expected one: name the files, "
       "MODEL.gguf,ENCODERS.gguf"},
      {"encoders alone", line_of(encoders(true).file()),
       "m.gguf: got the encoders alone (architecture clip), expected a model in GGUF: "
       "MODEL.gguf,ENCODERS.gguf"},
      {"a tensor in two files", with(same),
       "clip.gguf: output_norm.weight: got the name in two files, expected it in one"},
      {"encoders with a tensor that is none", with(odd),
       "clip.gguf: v.odd: got a tensor that is not known, expected those of gemma4"},
      {"another projector", with(other),
       "clip.gguf: clip.vision.projector_type and clip.audio.projector_type: got 'llava' and "
       "'gemma4a', expected gemma4v and gemma4a, or gemma4uv and gemma4ua"},
      {"encoders without their sizes", with(vision),
       "clip.gguf: clip.vision.embedding_length: got nothing, expected a non-negative integer"},
      {"a split whose name does not count", split("m.gguf", 0),
       "m.gguf: split.count: got 2, expected a name that ends in -00001-of-00002.gguf"},
      {"a split without its second file", split("m-00001-of-00002.gguf", 0),
       "m-00002-of-00002.gguf: got \"No such file or directory\", expected a readable file"},
      {"the second file of a split", split("m-00002-of-00002.gguf", 1),
       "m-00002-of-00002.gguf: split.no: got 1, expected the first file of the split, 0"},
      {"a drafter without its target's width", line_after([](GgufModel& m) {
         const auto keys = std::exchange(m.keys, {});
         for (const auto& [key, bytes] : keys) {
           const bool own = key.starts_with("gemma4.");
           const std::string name = own ? "gemma4-assistant." + key.substr(7) : key;
           m.keys[name] = GgufFile(0).string(name).text().substr(24) + bytes.substr(8 + key.size());
         }
         m.text("general.architecture", "gemma4-assistant");
       }),
       "m.gguf: gemma4-assistant.embedding_length_out: got nothing, expected a non-negative "
       "integer"},
  };
}

Lines tokenizers() {
  const auto read = [&](const GgufFile& file) {
    const auto path = folder().write("m.gguf", file.text());
    return line_of_action([&] { Tokenizer{read_gguf_tokenizer(path)}; });
  };
  const auto of_tokens = [&](const std::vector<std::string>& tokens) {
    return read(head_of(1).strings(kTokens, tokens));
  };
  const auto of_merges = [&](const std::vector<std::string>& merges) {
    return read(head_of(2).strings(kTokens, {"a", "b", "ab"}).strings(kMerges, merges));
  };
  GgufFile numbers = head_of(1);
  numbers.key(kTokens, GgufFile::kArray).array(kInt32, 1).number(7u);
  GgufFile merges = head_of(2).strings(kTokens, {"a"});
  merges.key(kMerges, GgufFile::kString).string("a a");
  return {
      {"no tokens", read(head_of(0)),
       "m.gguf: tokenizer.ggml.tokens: got nothing, expected strings"},
      {"tokens by number", read(numbers),
       "m.gguf: tokenizer.ggml.tokens: got another type, expected strings"},
      {"an empty list", of_tokens({}), "m.gguf: tokenizer.ggml.tokens: got none, expected tokens"},
      {"an empty token", of_tokens({"a", ""}), "m.gguf: token 1: got 0 bytes, expected 1 to 256"},
      {"a token too long", of_tokens({std::string(300, 'x')}),
       "m.gguf: token 0: got 300 bytes, expected 1 to 256"},
      {"a token twice", of_tokens({"a", "b", "a"}),
       "m.gguf: token 2: got 'a' again, expected it once (token 0)"},
      {"bytes that are no text", of_tokens({"a", "\xFF\xFE"}),
       "m.gguf: token 1: byte 0: got 0xff, expected UTF-8"},
      {"merges in one string", read(merges),
       "m.gguf: tokenizer.ggml.merges: got another type, expected strings"},
      {"a merge of one word", of_merges({"ab"}),
       "m.gguf: tokenizer.ggml.merges[0]: got 'ab', expected two tokens and a space between"},
      {"a merge of an unknown token", of_merges({"a b", "a c"}),
       "m.gguf: tokenizer.ggml.merges[1]: got 'a c', expected two tokens and a space between"},
      {"a merge into nothing", of_merges({"b a"}),
       "m.gguf: merge 0: got 'ba', expected a token of the vocabulary"},
  };
}

TEST(MalformedGguf, EachHasALineOfItsOwn) {
  std::set<std::string> lines;
  std::size_t count = 0;
  for (const auto& table : {headers(), keys(), descriptions(), tensors(), missing_keys(), layers(),
                            config_values(), several_files(), tokenizers()}) {
    for (const auto& [what, got, expected] : table) {
      EXPECT_EQ(got, expected) << what;
      EXPECT_EQ(got.find('\n'), std::string::npos) << what;
      EXPECT_TRUE(lines.insert(got).second) << what << ": said before: " << got;
      ++count;
    }
  }
  EXPECT_GE(count, 60U);
}

}  // namespace
}  // namespace assay
