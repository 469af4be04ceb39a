// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/tiff_file.h"

#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/image_file.h"
#include "reference/family/media/orientation.h"
#include "reference/family/media/tiff_samples.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;
using Row = std::span<const std::uint8_t>;

constexpr tmsize_t kMaxAllocation = 1 << 29;  // of libtiff, at once
constexpr std::size_t kMaxSamples = 16;       // of a pixel
constexpr std::size_t kMaxPlaneBytes = 1u << 29;

struct MemoryFile {
  Bytes bytes;
  std::size_t at = 0;
  std::array<char, 160> words = {};  // of the first error
};

tmsize_t on_read(thandle_t user, void* out, tmsize_t wanted) {
  auto& file = *static_cast<MemoryFile*>(user);
  const std::size_t count = std::min(static_cast<std::size_t>(std::max<tmsize_t>(wanted, 0)),
                                     file.bytes.size() - file.at);
  std::memcpy(out, file.bytes.data() + file.at, count);
  file.at += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t on_write(thandle_t, void*, tmsize_t) {
  return 0;
}

toff_t on_seek(thandle_t user, toff_t offset, int whence) {
  auto& file = *static_cast<MemoryFile*>(user);
  const toff_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.at : file.bytes.size();
  const toff_t at = base + offset;  // an offset may be negative: it wraps around, and back
  if (at > file.bytes.size()) {
    return static_cast<toff_t>(-1);
  }
  file.at = at;
  return at;
}

int on_close(thandle_t) {
  return 0;
}

toff_t on_size(thandle_t user) {
  return static_cast<MemoryFile*>(user)->bytes.size();
}

int on_error(TIFF*, void* user, const char*, const char* format, va_list values) {
  auto& file = *static_cast<MemoryFile*>(user);
  if (file.words[0] == '\0') {
    std::vsnprintf(file.words.data(), file.words.size(), format, values);
  }
  return 1;  // no other handler
}

int on_warning(TIFF*, void*, const char*, const char*, va_list) {
  return 1;
}

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};
using Tiff = std::unique_ptr<TIFF, CloseTiff>;

Tiff open_tiff(MemoryFile& file) {
  const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  if (!options) {
    return {};
  }
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAllocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &file);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, &file);
  // "m": no mapping, so that every access goes through the checked functions.
  return Tiff(TIFFClientOpenExt("memory", "rm", &file, on_read, on_write, on_seek, on_close,
                                on_size, nullptr, nullptr, options.get()));
}

class Reader {
 public:
  Reader(Bytes bytes, const std::string& name) : file_{bytes}, name_(name) {
    tiff_ = open_tiff(file_);
    if (!tiff_) {
      throw damaged();
    }
  }

  Image read() {
    image_.size = {field<std::uint32_t>(TIFFTAG_IMAGELENGTH, 0),
                   field<std::uint32_t>(TIFFTAG_IMAGEWIDTH, 0)};
    check_image_size(image_.size, name_);
    read_layout();
    image_.rgb.resize(image_.size.height * image_.size.width * 3);
    if (layout_.colour == TiffColour::kYcbcr) {
      read_ycbcr();
    } else if (TIFFIsTiled(tiff_.get()) != 0) {
      read_tiles();
    } else {
      read_rows();
    }
    return upright(std::move(image_), orientation());
  }

 private:
  Error damaged() const {
    const char* words = file_.words[0] == '\0' ? "damage" : file_.words.data();
    return Error(name_ + ": TIFF data: got \"" + printable(words) +
                 "\", expected a whole TIFF image");
  }

  template <class T>
  T field(std::uint32_t tag, T otherwise) const {
    T value = otherwise;
    return TIFFGetFieldDefaulted(tiff_.get(), tag, &value) != 0 ? value : otherwise;
  }

  TiffColour colour() const;
  void read_palette();
  void read_layout();
  void read_rows();
  void read_tiles();
  void read_ycbcr();
  int orientation() const;
  bool in_planes() const { return planes_ > 1; }

  MemoryFile file_;
  const std::string& name_;
  Tiff tiff_;
  Image image_;
  TiffLayout layout_;
  std::size_t planes_ = 1;
};

TiffColour Reader::colour() const {
  std::uint16_t photometric = 0xFFFF;
  TIFFGetField(tiff_.get(), TIFFTAG_PHOTOMETRIC, &photometric);
  switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
      return TiffColour::kGreyInverted;
    case PHOTOMETRIC_MINISBLACK:
      return TiffColour::kGrey;
    case PHOTOMETRIC_RGB:
      return TiffColour::kRgb;
    case PHOTOMETRIC_PALETTE:
      return TiffColour::kPalette;
    case PHOTOMETRIC_SEPARATED:
      return TiffColour::kCmyk;
    case PHOTOMETRIC_YCBCR:
      return TiffColour::kYcbcr;
    default:
      throw Error(name_ + ": TIFF colours: got photometric interpretation " +
                  std::to_string(photometric) +
                  ", expected 0 or 1 (grey), 2 (RGB), 3 (palette), 5 (CMYK) or 6 (YCbCr)");
  }
}

void Reader::read_palette() {
  std::array<std::uint16_t*, 3> channels = {};
  if (TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, &channels[0], &channels[1], &channels[2]) == 0) {
    throw Error(name_ + ": TIFF palette: got none, expected one");
  }
  for (std::size_t i = 0; i < std::size_t{1} << layout_.bits; ++i) {
    for (const std::uint16_t* channel : channels) {
      layout_.palette.push_back(static_cast<std::uint8_t>(channel[i] >> 8));
    }
  }
}

void Reader::read_layout() {
  layout_.colour = colour();
  layout_.bits = field<std::uint16_t>(TIFFTAG_BITSPERSAMPLE, 1);
  layout_.samples = field<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
  const auto format = field<std::uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  layout_.number = format == SAMPLEFORMAT_IEEEFP ? TiffNumber::kFloat
                   : format == SAMPLEFORMAT_INT  ? TiffNumber::kSigned
                                                 : TiffNumber::kUnsigned;
  check_layout(layout_, name_);
  if (layout_.samples > kMaxSamples) {
    throw Error(name_ + ": TIFF samples: got " + std::to_string(layout_.samples) +
                " of each pixel, expected at most " + std::to_string(kMaxSamples));
  }
  if (field<std::uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE) {
    planes_ = layout_.samples;
  }
  std::uint16_t extras = 0;
  std::uint16_t* kinds = nullptr;
  if (TIFFGetField(tiff_.get(), TIFFTAG_EXTRASAMPLES, &extras, &kinds) != 0 && extras > 0) {
    layout_.multiplied = layout_.colour == TiffColour::kRgb && layout_.samples > 3 &&
                         kinds[0] == EXTRASAMPLE_ASSOCALPHA;
  }
  if (layout_.colour == TiffColour::kPalette) {
    read_palette();
  }
}

void Reader::read_rows() {
  const auto [height, width] = image_.size;
  const auto length = static_cast<std::size_t>(TIFFScanlineSize64(tiff_.get()));
  const std::size_t least = (width * layout_.bits * (layout_.samples / planes_) + 7) / 8;
  if (length < least || length > kMaxTileBytes) {
    throw damaged();
  }
  const std::size_t used = in_planes() ? layout_.colours() + (layout_.multiplied ? 1 : 0) : 1;
  if (in_planes() && used * length > kMaxPlaneBytes / height) {
    throw Error(name_ + ": TIFF planes: got " + std::to_string(used * length * height) +
                " bytes, expected at most " + std::to_string(kMaxPlaneBytes));
  }
  // A plane after the other, as they are stored: a compressed strip is not gone through twice.
  std::vector<std::vector<std::uint8_t>> planes(used);
  for (auto& plane : planes) {
    plane.resize(in_planes() ? length * height : length);
  }
  const auto read = [&](std::size_t y, std::size_t k, std::uint8_t* out) {
    if (TIFFReadScanline(tiff_.get(), out, static_cast<std::uint32_t>(y),
                         static_cast<std::uint16_t>(k)) != 1) {
      throw damaged();
    }
  };
  for (std::size_t k = 0; in_planes() && k < used; ++k) {
    for (std::size_t y = 0; y < height; ++y) {
      read(y, k, planes[k].data() + y * length);
    }
  }
  std::vector<Row> rows(used);
  for (std::size_t y = 0; y < height; ++y) {
    if (!in_planes()) {
      read(y, 0, planes[0].data());
    }
    for (std::size_t k = 0; k < used; ++k) {
      rows[k] = Row(planes[k]).subspan(in_planes() ? y * length : 0, length);
    }
    tiff_pixels(layout_, rows, width, image_.rgb.data() + y * width * 3);
  }
}

void Reader::read_tiles() {
  const auto [height, width] = image_.size;
  const std::size_t tile_width = field<std::uint32_t>(TIFFTAG_TILEWIDTH, 0);
  const std::size_t tile_height = field<std::uint32_t>(TIFFTAG_TILELENGTH, 0);
  const auto length = static_cast<std::size_t>(TIFFTileSize64(tiff_.get()));
  const auto row_length = static_cast<std::size_t>(TIFFTileRowSize64(tiff_.get()));
  if (tile_width == 0 || tile_height == 0 || length == 0 || length > kMaxTileBytes ||
      row_length * tile_height > length ||
      row_length * 8 < tile_width * layout_.bits * (layout_.samples / planes_)) {
    throw Error(name_ + ": TIFF tiles: got " + std::to_string(tile_width) + " x " +
                std::to_string(tile_height) + " pixels, expected 1 or more, and at most " +
                std::to_string(kMaxTileBytes) + " bytes");
  }
  std::vector<std::vector<std::uint8_t>> planes(planes_, std::vector<std::uint8_t>(length));
  std::vector<Row> rows(planes_);
  for (std::size_t top = 0; top < height; top += tile_height) {
    for (std::size_t left = 0; left < width; left += tile_width) {
      for (std::size_t k = 0; k < planes_; ++k) {
        if (TIFFReadTile(tiff_.get(), planes[k].data(), static_cast<std::uint32_t>(left),
                         static_cast<std::uint32_t>(top), 0, static_cast<std::uint16_t>(k)) < 0) {
          throw damaged();
        }
      }
      const std::size_t count = std::min(tile_width, width - left);
      for (std::size_t y = 0; y < std::min(tile_height, height - top); ++y) {
        for (std::size_t k = 0; k < planes_; ++k) {
          rows[k] = Row(planes[k]).subspan(y * row_length, row_length);
        }
        tiff_pixels(layout_, rows, count, image_.rgb.data() + ((top + y) * width + left) * 3);
      }
    }
  }
}

// Chroma of its own size, and the coefficients of the file: libtiff's own conversion.
void Reader::read_ycbcr() {
  const auto [height, width] = image_.size;
  std::array<char, 1024> words = {};
  TIFFRGBAImage reader = {};
  if (TIFFRGBAImageBegin(&reader, tiff_.get(), 1, words.data()) == 0) {
    throw Error(name_ + ": TIFF data: got \"" + printable(words.data()) +
                "\", expected a whole TIFF image");
  }
  reader.req_orientation = reader.orientation;
  std::vector<std::uint32_t> pixels(height * width);
  const int done = TIFFRGBAImageGet(&reader, pixels.data(), static_cast<std::uint32_t>(width),
                                    static_cast<std::uint32_t>(height));
  TIFFRGBAImageEnd(&reader);
  if (done == 0) {
    throw damaged();
  }
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    image_.rgb[3 * i] = static_cast<std::uint8_t>(TIFFGetR(pixels[i]));
    image_.rgb[3 * i + 1] = static_cast<std::uint8_t>(TIFFGetG(pixels[i]));
    image_.rgb[3 * i + 2] = static_cast<std::uint8_t>(TIFFGetB(pixels[i]));
  }
}

int Reader::orientation() const {
  std::uint16_t value = 0;
  if (TIFFGetField(tiff_.get(), TIFFTAG_ORIENTATION, &value) != 0) {
    return value;
  }
  std::uint32_t count = 0;
  void* xmp = nullptr;
  if (TIFFGetField(tiff_.get(), TIFFTAG_XMLPACKET, &count, &xmp) == 0 || xmp == nullptr) {
    return 1;
  }
  return orientation_of({{}, std::span(static_cast<const std::byte*>(xmp), count)});
}

}  // namespace

bool looks_like_tiff(Bytes bytes) {
  const auto begins = [&](const char(&text)[5]) { return has_text(bytes, 0, {text, 4}); };
  return begins("II*\0") || begins("MM\0*") || begins("II+\0") || begins("MM\0+");
}

Image decode_tiff(Bytes bytes, const std::string& name) {
  return Reader(bytes, name).read();
}

}  // namespace assay
