// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/png_file.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <vector>

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/image_file.h"
#include "reference/family/media/image_metadata.h"
#include "reference/family/media/orientation.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view kSignature("\x89PNG\r\n\x1a\n", 8);
constexpr std::size_t kHeaderEnd = 33;       // signature, and the chunk IHDR of 13 bytes
constexpr std::size_t kMaxInflation = 1032;  // of deflate, bytes out per byte in
constexpr png_alloc_size_t kMaxChunkBytes = 8u << 20;

// Everything that libpng's functions touch. They leave by longjmp, which runs no destructors: so
// nothing that owns memory lives in a frame between setjmp and longjmp.
struct Png {
  Bytes bytes;
  std::size_t at = 0;
  png_structp png = nullptr;
  png_infop info = nullptr;
  png_bytepp rows = nullptr;
  std::array<char, 128> message = {};

  Png() = default;
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;
  ~Png() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto& file = *static_cast<Png*>(png_get_error_ptr(png));
  std::strncpy(file.message.data(), text, file.message.size() - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, std::size_t count) {
  auto& file = *static_cast<Png*>(png_get_io_ptr(png));
  if (count > file.bytes.size() - file.at) {
    png_error(png, "end of file");
  }
  std::memcpy(out, file.bytes.data() + file.at, count);
  file.at += count;
}

// Runs a step; false when libpng gave up, with its words in file.message.
bool guarded(Png& file, void (*step)(Png&)) {
  if (setjmp(png_jmpbuf(file.png)) != 0) {
    return false;
  }
  step(file);
  return true;
}

void read_header(Png& file) {
  png_set_read_fn(file.png, &file, on_read);
  png_set_user_limits(file.png, kMaxImageSide, kMaxImageSide);
  png_set_chunk_malloc_max(file.png, kMaxChunkBytes);
  png_set_crc_action(file.png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  // Text and profiles may be compressed; image_metadata.cc reads what is needed of them.
  static constexpr png_byte kUnread[] = "iCCP\0iTXt\0tEXt\0zTXt";
  png_set_keep_unknown_chunks(file.png, PNG_HANDLE_CHUNK_NEVER, kUnread, 4);
  png_read_info(file.png, file.info);
}

bool is_indexed(const Png& file) {
  return png_get_color_type(file.png, file.info) == PNG_COLOR_TYPE_PALETTE;
}

bool is_grey16(const Png& file) {
  return png_get_color_type(file.png, file.info) == PNG_COLOR_TYPE_GRAY &&
         png_get_bit_depth(file.png, file.info) == 16;
}

// Rows become bytes of R, G, B; of indices; or of 16-bit grey.
void set_conversions(Png& file) {
  if (is_indexed(file)) {
    png_set_packing(file.png);
  } else if (!is_grey16(file)) {
    png_set_strip_16(file.png);
    png_set_expand_gray_1_2_4_to_8(file.png);
    png_set_strip_alpha(file.png);
    png_set_gray_to_rgb(file.png);
  }
  png_set_interlace_handling(file.png);
  png_read_update_info(file.png, file.info);
}

void read_rows(Png& file) {
  png_read_image(file.png, file.rows);
  png_read_end(file.png, file.info);
}

void check_png(Png& file, const std::string& name, void (*step)(Png&)) {
  if (!guarded(file, step)) {
    throw Error(name + ": PNG data: got \"" + printable(file.message.data()) +
                "\", expected a whole PNG image");
  }
}

bool is_known(std::uint64_t bits, std::uint64_t colour) {
  const bool small = bits == 1 || bits == 2 || bits == 4 || bits == 8;
  const bool large = bits == 8 || bits == 16;
  switch (colour) {
    case PNG_COLOR_TYPE_GRAY:
      return small || large;
    case PNG_COLOR_TYPE_PALETTE:
      return small;
    case PNG_COLOR_TYPE_RGB:
    case PNG_COLOR_TYPE_GRAY_ALPHA:
    case PNG_COLOR_TYPE_RGB_ALPHA:
      return large;
    default:
      return false;
  }
}

ImageSize checked_size(Bytes bytes, const std::string& name) {
  const std::string where = name + ": PNG header: got ";
  if (bytes.size() < kHeaderEnd) {
    throw Error(where + std::to_string(bytes.size()) + " bytes, expected at least " +
                std::to_string(kHeaderEnd));
  }
  if (!has_text(bytes, 8, std::string_view("\0\0\0\x0dIHDR", 8))) {
    throw Error(where + "another chunk, expected IHDR of 13 bytes");
  }
  const ImageSize size{big_endian(bytes, 20, 4), big_endian(bytes, 16, 4)};
  check_image_size(size, name);
  const std::uint64_t bits = big_endian(bytes, 24, 1), colour = big_endian(bytes, 25, 1);
  if (!is_known(bits, colour)) {
    throw Error(where + "colour type " + std::to_string(colour) + " with " + std::to_string(bits) +
                " bits, expected a pair that PNG knows");
  }
  return size;
}

void check_density(Png& file, ImageSize size, const std::string& name) {
  const std::size_t raw = png_get_rowbytes(file.png, file.info) * size.height;
  if (raw / kMaxInflation > file.bytes.size()) {
    throw Error(name + ": PNG data: got " + std::to_string(file.bytes.size()) +
                " bytes, expected at least " + std::to_string(raw / kMaxInflation) +
                " for its size");
  }
}

// All rows, of `width` bytes each.
std::vector<std::uint8_t> read_pixels(Png& file, const std::string& name, std::size_t width) {
  const std::size_t height = png_get_image_height(file.png, file.info);
  if (png_get_rowbytes(file.png, file.info) != width) {
    throw Error(name + ": PNG rows: got " + std::to_string(png_get_rowbytes(file.png, file.info)) +
                " bytes, expected " + std::to_string(width));
  }
  std::vector<std::uint8_t> pixels(width * height);
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < height; ++y) {
    rows[y] = pixels.data() + y * width;
  }
  file.rows = rows.data();
  check_png(file, name, read_rows);
  return pixels;
}

std::vector<std::uint8_t> look_up(const Png& file, const std::vector<std::uint8_t>& indices,
                                  const std::string& name) {
  png_colorp colours = nullptr;
  int known = 0;
  png_get_PLTE(file.png, file.info, &colours, &known);
  std::vector<std::uint8_t> rgb(indices.size() * 3);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] >= known) {
      throw Error(name + ": PNG palette: got index " + std::to_string(indices[i]) +
                  ", expected less than " + std::to_string(known));
    }
    const png_color& colour = colours[indices[i]];
    rgb[3 * i] = colour.red;
    rgb[3 * i + 1] = colour.green;
    rgb[3 * i + 2] = colour.blue;
  }
  return rgb;
}

std::vector<std::uint8_t> clip_grey(const std::vector<std::uint8_t>& wide) {  // big-endian
  std::vector<std::uint8_t> rgb(wide.size() / 2 * 3);
  for (std::size_t i = 0; i < wide.size() / 2; ++i) {
    const std::uint8_t value = wide[2 * i] != 0 ? 255 : wide[2 * i + 1];
    std::fill_n(rgb.data() + 3 * i, 3, value);
  }
  return rgb;
}

}  // namespace

bool looks_like_png(Bytes bytes) {
  return has_text(bytes, 0, kSignature);
}

Image decode_png(Bytes bytes, const std::string& name) {
  Image image;
  image.size = checked_size(bytes, name);
  const std::size_t width = image.size.width;

  Png file;
  file.bytes = bytes;
  file.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &file, on_error, on_warning);
  file.info = file.png == nullptr ? nullptr : png_create_info_struct(file.png);
  if (file.info == nullptr) {
    throw Error(name + ": libpng: got no decoder, expected one");
  }
  check_png(file, name, read_header);
  check_density(file, image.size, name);
  const bool indexed = is_indexed(file);
  const bool grey16 = is_grey16(file);
  check_png(file, name, set_conversions);
  if (indexed) {
    image.rgb = look_up(file, read_pixels(file, name, width), name);
  } else if (grey16) {
    image.rgb = clip_grey(read_pixels(file, name, width * 2));
  } else {
    image.rgb = read_pixels(file, name, width * 3);
  }
  return upright(std::move(image), orientation_of(png_metadata(bytes).blocks()));
}

}  // namespace assay
