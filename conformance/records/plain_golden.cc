// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/plain_golden.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/base/mapped_file.h"
#include "reference/family/config/profile.h"

namespace assay::conformance {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kMostNumbers = std::size_t{1} << 28;  // of one array
constexpr std::size_t kMostAxes = 8;
constexpr std::size_t kMostLines = 1u << 20;

struct NamedArray {
  const char* name;
  MediaItem::Array MediaItem::*array;
};
constexpr NamedArray kArrays[] = {{"rgb", &MediaItem::rgb},
                                  {"patches", &MediaItem::patches},
                                  {"positions", &MediaItem::positions},
                                  {"samples", &MediaItem::samples},
                                  {"mel", &MediaItem::mel},
                                  {"mel_mask", &MediaItem::mel_mask},
                                  {"audio_rows", &MediaItem::audio_rows}};

struct NamedIds {
  const char* name;
  std::vector<std::int32_t> CaseInput::*ids;
};
constexpr NamedIds kIds[] = {{"ids", &CaseInput::ids},
                             {"token_types", &CaseInput::token_types},
                             {"positions", &CaseInput::positions},
                             {"valid", &CaseInput::valid}};

class Writer {
 public:
  explicit Writer(const std::filesystem::path& path)
      : path_(path),
        lines_(with(path, ".golden"), std::ios::binary),
        values_(with(path, ".values"), std::ios::binary) {}

  static std::filesystem::path with(std::filesystem::path path, const char* extension) {
    path += extension;
    return path;
  }

  template <class... Fields>
  void line(const Fields&... fields) {
    const char* between = "";
    ((lines_ << std::exchange(between, "\t") << fields), ...);
    lines_ << '\n';
  }

  template <class T>
  std::size_t put(std::span<const T> numbers) {
    values_.write(reinterpret_cast<const char*>(numbers.data()),
                  static_cast<std::streamsize>(numbers.size_bytes()));
    return std::exchange(at_, at_ + numbers.size_bytes());
  }

  void finish() {
    if (!lines_.flush() || !values_.flush()) {
      throw Error(path_.string() + ": cannot be written");
    }
  }

 private:
  std::filesystem::path path_;
  std::ofstream lines_, values_;
  std::size_t at_ = 0;
};

std::string axes_text(const std::vector<std::size_t>& shape) {
  std::string text;
  for (const std::size_t axis : shape) {
    text += (text.empty() ? "" : "x") + std::to_string(axis);
  }
  return text;
}

std::string hexadecimal(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%a", value);
  return text.data();
}

void write_media(const MediaItem& item, Writer& out) {
  out.line("media", media_kind_name(item.kind), item.rows, item.width, item.name, item.budget,
           item.num_frames);
  if (!item.values.empty()) {
    out.line("array", "values", out.put(std::span(item.values)),
             axes_text({item.rows, item.width}));
  }
  if (!item.file.empty()) {
    out.line("array", "file", out.put(std::span(item.file)), axes_text({item.file.size()}));
  }
  for (const NamedArray& named : kArrays) {
    const MediaItem::Array& array = item.*named.array;
    if (array.given()) {
      out.line("array", named.name, out.put(std::span(array.values)), axes_text(array.shape));
    }
  }
}

void write_tap(const Tap& tap, const TapFloors& floors, Writer& out) {
  std::size_t at = 0;
  if (tap.integer) {
    const std::vector<std::int32_t> whole(tap.values.begin(), tap.values.end());
    at = out.put(std::span(whole));
  } else {
    at = out.put(std::span(tap.values));
  }
  out.line("tap", tap.name, tap.integer ? "integer" : "real", floors.narrowed ? 1 : 0, at,
           axes_text(tap.shape));
  for (const auto& [name, value] : floors.floors) {
    out.line("floor", name, hexadecimal(value));
  }
}

// One file, line by line.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path)
      : path_(path),
        lines_(path, std::ios::binary),
        values_(MappedFile::open(values_beside(path), values_beside(path).string())) {}

  Golden read() {
    std::string line;
    next(line);
    head();
    while (next(line)) {
      read_line();
    }
    if (golden_.input.ids.empty() || golden_.truth.empty()) {
      fail("case", "no ids or no taps", "both");
    }
    return std::move(golden_);
  }

 private:
  static std::filesystem::path values_beside(std::filesystem::path path) {
    return path.replace_extension(".values");
  }

  [[noreturn]] void fail(const std::string& thing, const std::string& got,
                         const std::string& expected) const {
    throw Error(path_.string() + ": line " + std::to_string(number_) + ": " + thing + ": got " +
                got + ", expected " + expected);
  }

  bool next(std::string& line) {
    if (!std::getline(lines_, line)) {
      return false;
    }
    if (++number_ > kMostLines) {
      fail("file", "more lines", "at most " + std::to_string(kMostLines));
    }
    fields_.clear();
    for (std::size_t at = 0; at <= line.size();) {
      const std::size_t end = std::min(line.find('\t', at), line.size());
      fields_.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    return true;
  }

  void expect_fields(std::size_t count) const {
    if (fields_.size() != count) {
      fail(fields_[0], std::to_string(fields_.size()) + " fields", std::to_string(count));
    }
  }

  std::size_t number(std::size_t field, std::size_t most) const {
    const std::string& text = fields_[field];
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > most) {
      fail(fields_[0], "'" + text + "'", "a number up to " + std::to_string(most));
    }
    return value;
  }

  std::string folder(std::size_t field) const {
    const std::string& name = fields_[field];
    if (name.find_first_of("/\\") != std::string::npos || name == "." || name == "..") {
      fail(fields_[0], "'" + name + "'", "the name of a folder");
    }
    return name;
  }

  std::vector<std::size_t> shape(std::size_t field) const {
    std::vector<std::size_t> shape;
    const std::string& text = fields_[field];
    std::size_t count = 1;
    for (const char* at = text.data(); at < text.data() + text.size();) {
      std::size_t axis = 0;
      const auto [end, error] = std::from_chars(at, text.data() + text.size(), axis);
      const bool ends = end == text.data() + text.size();
      if (error != std::errc() || (!ends && *end != 'x') || shape.size() == kMostAxes ||
          (axis > 0 && count > kMostNumbers / axis)) {
        fail(fields_[0], "'" + text + "'",
             "axes of at most " + std::to_string(kMostNumbers) + " numbers");
      }
      count *= axis;
      shape.push_back(axis);
      at = end + 1;
    }
    return shape;
  }

  // `count` numbers from a place in the other file.
  template <class T>
  std::vector<T> numbers(std::size_t field, std::size_t count) const {
    const auto bytes = values_.bytes();
    const std::size_t at = number(field, bytes.size());
    if (count > (bytes.size() - at) / sizeof(T)) {
      fail(fields_[0], std::to_string(count) + " numbers at byte " + std::to_string(at),
           "numbers inside " + std::to_string(bytes.size()) + " bytes");
    }
    std::vector<T> numbers(count);
    if (count > 0) {
      std::memcpy(numbers.data(), bytes.data() + at, count * sizeof(T));
    }
    return numbers;
  }

  void head() {
    if (fields_.empty() || fields_[0] != "golden" || fields_.size() != 7 || fields_[1] != "1") {
      fail("head", "another line", "golden 1");
    }
    golden_.path = path_;
    golden_.case_name = fields_[2];
    golden_.checkpoint = folder(3);
    golden_.drafter = folder(4);
    golden_.profile = profile_text(parse_profile(fields_[5]));
    golden_.decode_from = number(6, std::numeric_limits<std::int32_t>::max());
  }

  void read_line() {
    const std::string& what = fields_[0];
    if (what == "tap") {
      return tap();
    }
    if (what == "floor") {
      return floor();
    }
    if (what == "media") {
      return media();
    }
    if (what == "array") {
      return array();
    }
    if (what == "draft") {
      expect_fields(4);
      const std::size_t most = std::numeric_limits<std::int32_t>::max();
      golden_.input.draft = DraftRequest{static_cast<std::int32_t>(number(1, most)),
                                         number(2, 1024), number(3, 1) == 1};
      return;
    }
    for (const NamedIds& named : kIds) {
      if (what == named.name) {
        expect_fields(3);
        golden_.input.*named.ids = numbers<std::int32_t>(1, number(2, kMostNumbers));
        return;
      }
    }
    fail("line", "'" + what + "'", "ids, media, array, draft, tap or floor");
  }

  void tap() {
    expect_fields(6);
    Tap tap;
    tap.name = fields_[1];
    if (golden_.truth.has(tap.name)) {
      fail("tap", tap.name + " again", "each tap once");
    }
    tap.shape = shape(5);
    tap.integer = fields_[2] == "integer";
    if (!tap.integer && fields_[2] != "real") {
      fail("tap", "'" + fields_[2] + "'", "real or integer");
    }
    const std::size_t count = element_count(tap.shape);
    if (tap.integer) {
      const auto whole = numbers<std::int32_t>(4, count);
      tap.values.assign(whole.begin(), whole.end());
    } else {
      tap.values = numbers<double>(4, count);
      if (std::ranges::any_of(tap.values, [](double x) { return std::isnan(x); })) {
        fail(tap.name, "a NaN in the truth", "numbers");
      }
    }
    TapFloors floors;
    floors.narrowed = number(3, 1) == 1;
    last_tap_ = tap.name;
    golden_.truth.add(std::move(tap));
    golden_.floors.emplace(last_tap_, std::move(floors));
  }

  void floor() {
    expect_fields(3);
    char* end = nullptr;
    const double value = std::strtod(fields_[2].c_str(), &end);
    if (last_tap_.empty() || *end != 0 || !(value >= 0) || std::isinf(value)) {
      fail("floor", "'" + fields_[2] + "'", "a number of at least 0 after a tap");
    }
    golden_.floors[last_tap_].floors[fields_[1]] = value;
  }

  void media() {
    expect_fields(7);
    MediaItem item;
    const auto kind = find_media_kind(fields_[1]);
    if (!kind) {
      fail("media", "'" + fields_[1] + "'", "image, frame, video or audio");
    }
    item.kind = *kind;
    item.rows = number(2, kMostNumbers);
    item.width = number(3, kMostNumbers);
    item.name = fields_[4];
    item.budget = number(5, kMostNumbers);
    item.num_frames = number(6, kMostNumbers);
    golden_.input.media.push_back(std::move(item));
  }

  void array() {
    expect_fields(4);
    if (golden_.input.media.empty()) {
      fail("array", "none", "media before it");
    }
    MediaItem& item = golden_.input.media.back();
    const auto axes = shape(3);
    if (fields_[1] == "file") {
      item.file = numbers<std::uint8_t>(2, element_count(axes));
      return;
    }
    if (fields_[1] == "values") {
      item.values = numbers<double>(2, element_count(axes));
      return;
    }
    for (const NamedArray& named : kArrays) {
      if (fields_[1] == named.name) {
        item.*named.array = {axes, numbers<double>(2, element_count(axes))};
        return;
      }
    }
    fail("array", "'" + fields_[1] + "'", "the name of a form of media");
  }

  std::filesystem::path path_;
  std::ifstream lines_;
  MappedFile values_;
  std::size_t number_ = 0;
  std::vector<std::string> fields_;
  std::string last_tap_;
  Golden golden_;
};

}  // namespace

void write_plain_golden(const Golden& golden, const std::filesystem::path& path) {
  if (!golden.input.requests.empty()) {
    throw Error(golden.path.string() +
                ": got requests to the text around the network, expected a case of the network");
  }
  Writer out(path);
  out.line("golden", 1, golden.case_name, golden.checkpoint, golden.drafter, golden.profile,
           golden.decode_from);
  for (const NamedIds& named : kIds) {
    const auto& ids = golden.input.*named.ids;
    if (!ids.empty()) {
      out.line(named.name, out.put(std::span(ids)), ids.size());
    }
  }
  if (const auto& draft = golden.input.draft) {
    out.line("draft", draft->token, draft->steps, draft->standard_window ? 1 : 0);
  }
  for (const MediaItem& item : golden.input.media) {
    write_media(item, out);
  }
  for (const Tap& tap : golden.truth) {
    const auto floors = golden.floors.find(tap.name);
    write_tap(tap, floors != golden.floors.end() ? floors->second : TapFloors{}, out);
  }
  out.finish();
}

Golden read_plain_golden(const std::filesystem::path& path) {
  return Reader(path).read();
}

}  // namespace assay::conformance
