// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/jpeg_file.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>  // jpeglib.h needs FILE
#include <vector>

#include <jpeglib.h>

#include <jerror.h>

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/image_file.h"
#include "reference/family/media/image_metadata.h"
#include "reference/family/media/orientation.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

constexpr long kMaxJpegMemory = 1L << 30;                 // coefficients of a progressive image
constexpr std::size_t kMaxScannedPixels = 2'000'000'000;  // over all scans: 20 of the largest
constexpr std::size_t kBlockPixels = 64;

// Everything that libjpeg's functions touch. They leave by longjmp, which runs no destructors: so
// nothing that owns memory lives in a frame between setjmp and longjmp.
struct Jpeg {
  Bytes bytes;
  jpeg_decompress_struct decoder = {};
  jpeg_error_mgr errors = {};
  jpeg_progress_mgr progress = {};
  std::jmp_buf jump = {};
  JSAMPROW row = nullptr;
  std::array<char, JMSG_LENGTH_MAX> message = {};

  Jpeg() = default;
  Jpeg(const Jpeg&) = delete;
  Jpeg& operator=(const Jpeg&) = delete;
  ~Jpeg() { jpeg_destroy_decompress(&decoder); }
};

[[noreturn]] void give_up(j_common_ptr decoder) {
  auto& file = *static_cast<Jpeg*>(decoder->client_data);
  decoder->err->format_message(decoder, file.message.data());
  std::longjmp(file.jump, 1);
}

// Oddities that leave the pixels whole; every other warning means damage.
bool is_harmless(int warning) {
  return warning == JWRN_EXTRANEOUS_DATA || warning == JWRN_ADOBE_XFORM ||
         warning == JWRN_JFIF_MAJOR;
}

void on_message(j_common_ptr decoder, int level) {
  if (level < 0 && !is_harmless(decoder->err->msg_code)) {
    give_up(decoder);
  }
}

void on_output(j_common_ptr) {}

// Each scan costs a pass over the image, however few bytes it has.
void on_progress(j_common_ptr decoder) {
  auto& file = *static_cast<Jpeg*>(decoder->client_data);
  const std::size_t pixels =
      static_cast<std::size_t>(file.decoder.image_height) * file.decoder.image_width;
  const int most = static_cast<int>(std::min(kMaxJpegScans, kMaxScannedPixels / pixels));
  if (file.decoder.input_scan_number > most) {
    std::snprintf(file.message.data(), file.message.size(), "more than %d scans", most);
    std::longjmp(file.jump, 1);
  }
}

// Runs a step; false when libjpeg gave up, with its words in file.message.
bool guarded(Jpeg& file, void (*step)(Jpeg&)) {
  if (setjmp(file.jump) != 0) {
    return false;
  }
  step(file);
  return true;
}

void check_jpeg(Jpeg& file, const std::string& name, void (*step)(Jpeg&)) {
  if (!guarded(file, step)) {
    throw Error(name + ": JPEG data: got \"" + printable(file.message.data()) +
                "\", expected a whole JPEG image");
  }
}

void read_header(Jpeg& file) {
  jpeg_create_decompress(&file.decoder);
  file.decoder.client_data = &file;
  file.decoder.mem->max_memory_to_use = kMaxJpegMemory;
  file.decoder.progress = &file.progress;
  jpeg_mem_src(&file.decoder, reinterpret_cast<const unsigned char*>(file.bytes.data()),
               file.bytes.size());
  jpeg_read_header(&file.decoder, TRUE);
}

void start(Jpeg& file) {
  file.decoder.out_color_space = file.decoder.num_components == 4 ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&file.decoder);
}

void read_row(Jpeg& file) {
  jpeg_read_scanlines(&file.decoder, &file.row, 1);
}

void finish(Jpeg& file) {
  jpeg_finish_decompress(&file.decoder);
}

// Without arithmetic coding a block of 64 values takes one bit at least.
void check_header(const Jpeg& file, ImageSize size, const std::string& name) {
  check_image_size(size, name);
  const int components = file.decoder.num_components;
  if (components != 1 && components != 3 && components != 4) {
    throw Error(name + ": JPEG header: got " + std::to_string(components) +
                " components, expected 1, 3 or 4");
  }
  const std::size_t least = size.height * size.width / kBlockPixels / 8;
  if (file.decoder.arith_code == FALSE && file.bytes.size() < least) {
    throw Error(name + ": JPEG data: got " + std::to_string(file.bytes.size()) +
                " bytes, expected at least " + std::to_string(least) + " for its size");
  }
}

void cmyk_to_rgb(std::span<const std::uint8_t> inverted, std::uint8_t* rgb) {
  for (std::size_t at = 0; at < inverted.size(); at += 4) {
    const int white = inverted[at + 3];  // 255 - k
    for (std::size_t i = 0; i < 3; ++i) {
      const int ink = 255 - inverted[at + i];
      *rgb++ = static_cast<std::uint8_t>(std::max(0, white - (2 * ink * white + 255) / 510));
    }
  }
}

}  // namespace

bool looks_like_jpeg(Bytes bytes) {
  return has_text(bytes, 0, "\xff\xd8\xff");
}

Image decode_jpeg(Bytes bytes, const std::string& name) {
  Jpeg file;
  file.bytes = bytes;
  file.decoder.err = jpeg_std_error(&file.errors);
  file.decoder.client_data = &file;
  file.errors.error_exit = give_up;
  file.errors.emit_message = on_message;
  file.errors.output_message = on_output;
  file.progress.progress_monitor = on_progress;
  check_jpeg(file, name, read_header);
  Image image;
  image.size = {file.decoder.image_height, file.decoder.image_width};
  check_header(file, image.size, name);
  check_jpeg(file, name, start);

  const std::size_t width = image.size.width;
  const bool cmyk = file.decoder.num_components == 4;
  std::vector<std::uint8_t> inks(cmyk ? width * 4 : 0);
  image.rgb.resize(image.size.height * width * 3);
  for (std::size_t y = 0; y < image.size.height; ++y) {
    std::uint8_t* const rgb = image.rgb.data() + y * width * 3;
    file.row = cmyk ? inks.data() : rgb;
    check_jpeg(file, name, read_row);
    if (cmyk) {
      cmyk_to_rgb(inks, rgb);
    }
  }
  check_jpeg(file, name, finish);
  return upright(std::move(image), orientation_of(jpeg_metadata(bytes).blocks()));
}

}  // namespace assay
