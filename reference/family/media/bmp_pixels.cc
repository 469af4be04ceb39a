// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/bmp_pixels.h"

#include <algorithm>

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;
using Masks = std::array<std::uint64_t, 4>;

// Where red, green and blue stand among the bytes of a pixel.
struct Order {
  std::uint64_t bits;
  Masks masks;
  std::array<std::size_t, 3> byte;
};

// The layouts that Pillow knows. All masks zero: as if there were none.
constexpr std::array kOrders = {
    Order{32, {0xFF0000, 0xFF00, 0xFF, 0}, {2, 1, 0}},
    Order{32, {0xFF000000, 0xFF0000, 0xFF00, 0}, {3, 2, 1}},
    Order{32, {0xFF000000, 0xFF00, 0xFF, 0}, {3, 1, 0}},
    Order{32, {0xFF000000, 0xFF0000, 0xFF00, 0xFF}, {3, 2, 1}},
    Order{32, {0xFF, 0xFF00, 0xFF0000, 0xFF000000}, {0, 1, 2}},
    Order{32, {0xFF0000, 0xFF00, 0xFF, 0xFF000000}, {2, 1, 0}},
    Order{32, {0xFF000000, 0xFF00, 0xFF, 0xFF0000}, {3, 1, 0}},
    Order{32, {0, 0, 0, 0}, {2, 1, 0}},
    Order{24, {0xFF0000, 0xFF00, 0xFF, 0}, {2, 1, 0}},
};
constexpr Masks kFiveFiveFive = {0x7C00, 0x3E0, 0x1F, 0}, kFiveSixFive = {0xF800, 0x7E0, 0x1F, 0};

bool same_colours(const Masks& a, const Masks& b) {
  return std::equal(a.begin(), a.begin() + 3, b.begin());
}

Error bad_masks(const std::string& name, const Masks& masks) {
  std::string got;
  for (const std::uint64_t mask : masks) {
    got += (got.empty() ? "" : ", ") + std::to_string(mask);
  }
  return Error(name + ": BMP masks: got " + got + ", expected whole bytes, 5-5-5 or 5-6-5 bits");
}

std::array<std::size_t, 3> byte_order(std::uint64_t bits, const Masks& masks,
                                      const std::string& name) {
  for (const Order& order : kOrders) {
    if (order.bits == bits && same_colours(order.masks, masks) &&
        (bits == 24 || order.masks[3] == masks[3])) {
      return order.byte;
    }
  }
  throw bad_masks(name, masks);
}

void widen_sixteen(Bytes row, bool six, std::uint8_t* out) {
  for (std::size_t at = 0; at < row.size(); at += 2) {
    const std::uint64_t v = little_endian(row, at, 2);
    *out++ = static_cast<std::uint8_t>((v >> (six ? 11 : 10) & 31) * 255 / 31);
    *out++ = static_cast<std::uint8_t>(six ? (v >> 5 & 63) * 255 / 63 : (v >> 5 & 31) * 255 / 31);
    *out++ = static_cast<std::uint8_t>((v & 31) * 255 / 31);
  }
}

// A position in the file and one among the pixels, which run on from row to row.
class RunReader {
 public:
  RunReader(Bytes bytes, std::size_t at, ImageSize size, bool four_bits)
      : bytes_(bytes),
        at_(std::min(at, bytes.size())),
        width_(size.width),
        four_bits_(four_bits),
        out(size.height * size.width) {}

  // One code; false at the end.
  bool step() {
    if (bytes_.size() - at_ < 2 || done >= out.size()) {
      return false;
    }
    const std::size_t count = byte(at_), value = byte(at_ + 1);
    at_ += 2;
    if (count > 0) {
      return repeat(count, value);
    }
    if (value == 0) {
      skip((width_ - done % width_) % width_);
      column_ = 0;
      return true;
    }
    return value == 1 ? false : value == 2 ? move() : copy(value);
  }

  std::size_t done = 0;

 private:
  std::size_t byte(std::size_t at) const { return std::to_integer<std::size_t>(bytes_[at]); }
  void skip(std::size_t count) { done = std::min(done + count, out.size()); }
  void put(std::size_t value) {
    if (done < out.size()) {
      out[done++] = static_cast<std::uint8_t>(value);
    }
  }

  bool repeat(std::size_t count, std::size_t value) {
    count = std::min(count, width_ - std::min(column_, width_));
    for (std::size_t i = 0; i < count; ++i) {
      put(!four_bits_ ? value : i % 2 == 0 ? value >> 4 : value & 15);
    }
    column_ += count;
    return true;
  }

  bool move() {
    if (bytes_.size() - at_ < 4) {
      return false;
    }
    skip(byte(at_ + 2) + byte(at_ + 3) * width_);
    at_ += 4;
    column_ = done % width_;
    return true;
  }

  bool copy(std::size_t count) {
    const std::size_t stored = four_bits_ ? count / 2 : count;
    const std::size_t there = std::min(stored, bytes_.size() - at_);
    for (std::size_t i = 0; i < there; ++i) {
      const std::size_t value = byte(at_ + i);
      if (four_bits_) {
        put(value >> 4);
      }
      put(four_bits_ ? value & 15 : value);
    }
    at_ += there;
    column_ += count;
    at_ = std::min(at_ + at_ % 2, bytes_.size());
    return there == stored;
  }

  Bytes bytes_;
  std::size_t at_;
  std::size_t width_;
  bool four_bits_;
  std::size_t column_ = 0;

 public:
  std::vector<std::uint8_t> out;
};

}  // namespace

Bytes BmpRows::row(std::size_t y, std::size_t length) const {
  const std::size_t stride = (size.width * bits + 31) / 32 * 4;
  const std::size_t begin = at + y * stride;
  if (length > stride || begin > bytes.size() || bytes.size() - begin < length) {
    throw Error(name + ": BMP rows: got " +
                std::to_string(bytes.size() - std::min(at, bytes.size())) + " bytes, expected " +
                std::to_string(stride * size.height));
  }
  return bytes.subspan(begin, length);
}

std::vector<std::uint8_t> BmpRows::indices(std::uint64_t width_of_index) const {
  row(size.height - 1, 1);  // before memory is taken
  std::vector<std::uint8_t> out;
  out.reserve(size.height * size.width);
  for (std::size_t y = 0; y < size.height; ++y) {
    const Bytes stored = row(y, (size.width * width_of_index + 7) / 8);
    for (std::size_t x = 0; x < size.width; ++x) {
      const std::size_t bit = x * width_of_index;
      const auto byte = std::to_integer<std::uint64_t>(stored[bit / 8]);
      const std::uint64_t shifted = byte >> (8 - width_of_index - bit % 8);
      out.push_back(static_cast<std::uint8_t>(shifted & ((1u << width_of_index) - 1)));
    }
  }
  return out;
}

std::vector<std::uint8_t> BmpRows::rgb(const std::optional<Masks>& masks) const {
  const bool sixteen = bits == 16;
  const bool six = masks && same_colours(*masks, kFiveSixFive);
  if (sixteen && masks && !six && !same_colours(*masks, kFiveFiveFive)) {
    throw bad_masks(name, *masks);
  }
  const std::array<std::size_t, 3> order =
      sixteen || !masks ? std::array<std::size_t, 3>{2, 1, 0} : byte_order(bits, *masks, name);
  const std::size_t step = bits / 8;
  row(size.height - 1, size.width * step);  // before memory is taken
  std::vector<std::uint8_t> out(size.height * size.width * 3);
  for (std::size_t y = 0; y < size.height; ++y) {
    const Bytes stored = row(y, size.width * step);
    std::uint8_t* rgb = out.data() + y * size.width * 3;
    if (sixteen) {
      widen_sixteen(stored, six, rgb);
      continue;
    }
    for (std::size_t x = 0; x < stored.size(); x += step) {
      for (const std::size_t k : order) {
        *rgb++ = std::to_integer<std::uint8_t>(stored[x + k]);
      }
    }
  }
  return out;
}

std::vector<std::uint8_t> bmp_run_lengths(Bytes bytes, std::size_t at, ImageSize size,
                                          bool four_bits, const std::string& name) {
  RunReader reader(bytes, at, size, four_bits);
  while (reader.step()) {
  }
  if (reader.done < reader.out.size()) {
    throw Error(name + ": BMP run lengths: got " + std::to_string(reader.done) +
                " pixels, expected " + std::to_string(reader.out.size()));
  }
  return std::move(reader.out);
}

}  // namespace assay
