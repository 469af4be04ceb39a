// SPDX-License-Identifier: Apache-2.0
#include <png.h>

#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/image_file.h"

namespace assay {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

struct PngWriter {
  png_structp png = nullptr;
  png_infop info = nullptr;
  const Image* image = nullptr;

  PngWriter() = default;
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
};

[[noreturn]] void on_error(png_structp png, png_const_charp) {
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

// False when libpng gave up. Only trivial locals: longjmp runs no destructors.
bool write_rows(PngWriter& writer, std::FILE* file) {
  if (setjmp(png_jmpbuf(writer.png)) != 0) {
    return false;
  }
  const auto height = static_cast<png_uint_32>(writer.image->size.height);
  const auto width = static_cast<png_uint_32>(writer.image->size.width);
  png_init_io(writer.png, file);
  png_set_IHDR(writer.png, writer.info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  for (png_uint_32 y = 0; y < height; ++y) {
    png_write_row(writer.png, writer.image->rgb.data() + static_cast<std::size_t>(y) * width * 3);
  }
  png_write_end(writer.png, nullptr);
  return true;
}

}  // namespace

void write_png(const std::filesystem::path& path, const Image& image) {
  const std::string name = file_label(path);
  check_image_size(image.size, name);
  const std::size_t count = image.size.height * image.size.width * 3;
  if (image.rgb.size() != count) {
    throw Error(name + ": pixels: got " + std::to_string(image.rgb.size()) + " bytes, expected " +
                std::to_string(count));
  }
  std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "wb"));
  if (file == nullptr) {
    throw Error(name + ": file: got \"" + std::strerror(errno) + "\", expected a writable file");
  }
  PngWriter writer;
  writer.image = &image;
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, on_error, on_warning);
  writer.info = writer.png == nullptr ? nullptr : png_create_info_struct(writer.png);
  errno = 0;
  const bool written = writer.info != nullptr && write_rows(writer, file.get());
  const bool closed = std::fclose(file.release()) == 0;
  if (!written || !closed) {
    const std::string reason = std::strerror(errno);
    std::filesystem::remove(path);
    throw Error(name + ": file: got \"" + reason + "\", expected room for an image");
  }
}

}  // namespace assay
