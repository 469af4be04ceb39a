// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/gif_file.h"

#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/image_file.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;
using Rgb = std::array<std::uint8_t, 3>;

struct MemoryFile {
  Bytes bytes;
  std::size_t at = 0;
};

int on_read(GifFileType* gif, GifByteType* out, int wanted) {
  auto& file = *static_cast<MemoryFile*>(gif->UserData);
  const std::size_t count =
      std::min(static_cast<std::size_t>(std::max(wanted, 0)), file.bytes.size() - file.at);
  std::memcpy(out, file.bytes.data() + file.at, count);
  file.at += count;
  return static_cast<int>(count);
}

struct CloseGif {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};

Error damaged(const std::string& name, int code) {
  const char* words = GifErrorString(code);
  return Error(name + ": GIF data: got \"" + (words == nullptr ? "damage" : words) +
               "\", expected a whole first frame");
}

void check(GifFileType* gif, int result, const std::string& name) {
  if (result == GIF_ERROR) {
    throw damaged(name, gif->Error);
  }
}

// Reads an extension; the transparent index of a graphics control goes to `transparent`.
void read_extension(GifFileType* gif, int& transparent, const std::string& name) {
  int label = 0;
  GifByteType* block = nullptr;  // its first byte: the number of those that follow
  check(gif, DGifGetExtension(gif, &label, &block), name);
  if (label == GRAPHICS_EXT_FUNC_CODE && block != nullptr && block[0] >= 4 && (block[1] & 1) != 0) {
    transparent = block[4];
  }
  while (block != nullptr) {
    check(gif, DGifGetExtensionNext(gif, &block), name);
  }
}

// Goes to the first frame and gives its transparent index, or -1.
int find_frame(GifFileType* gif, const std::string& name) {
  int transparent = -1;
  for (;;) {
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    check(gif, DGifGetRecordType(gif, &record), name);
    if (record == IMAGE_DESC_RECORD_TYPE) {
      check(gif, DGifGetImageDesc(gif), name);
      return transparent;
    }
    if (record == TERMINATE_RECORD_TYPE) {
      throw Error(name + ": GIF: got no frame, expected one");
    }
    read_extension(gif, transparent, name);
  }
}

std::array<Rgb, 256> palette_of(const GifFileType& gif) {
  std::array<Rgb, 256> palette = {};
  for (std::size_t i = 0; i < palette.size(); ++i) {
    palette[i].fill(static_cast<std::uint8_t>(i));
  }
  const ColorMapObject* map = gif.Image.ColorMap != nullptr ? gif.Image.ColorMap : gif.SColorMap;
  const int count = map == nullptr ? 0 : std::min(map->ColorCount, 256);
  for (int i = 0; i < count; ++i) {
    const GifColorType& colour = map->Colors[i];
    palette[static_cast<std::size_t>(i)] = {colour.Red, colour.Green, colour.Blue};
  }
  return palette;
}

// The rows of a frame in the order in which they are stored.
std::vector<std::size_t> stored_rows(std::size_t height, bool interlaced) {
  std::vector<std::size_t> rows;
  const std::array<std::array<std::size_t, 2>, 4> passes = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
  for (const auto& [first, step] : passes) {
    for (std::size_t y = interlaced ? first : 0; y < height; y += interlaced ? step : 1) {
      rows.push_back(y);
    }
    if (!interlaced) {
      break;
    }
  }
  return rows;
}

struct Frame {
  std::size_t left, top, width, height;
};

Frame frame_of(const GifImageDesc& image, const std::string& name) {
  const auto whole = [](int value) { return static_cast<std::size_t>(std::max(value, 0)); };
  const Frame frame{whole(image.Left), whole(image.Top), whole(image.Width), whole(image.Height)};
  check_image_size({frame.height, frame.width}, name);
  return frame;
}

// The rows in the order in which they are stored. They come before the screen takes memory: a few
// bytes can state a screen of 300 MB.
std::vector<GifPixelType> read_rows(GifFileType* gif, const Frame& frame, const std::string& name) {
  std::vector<GifPixelType> rows;
  std::vector<GifPixelType> row(frame.width);
  for (std::size_t i = 0; i < frame.height; ++i) {
    check(gif, DGifGetLine(gif, row.data(), static_cast<int>(frame.width)), name);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

}  // namespace

bool looks_like_gif(Bytes bytes) {
  return has_text(bytes, 0, "GIF87a") || has_text(bytes, 0, "GIF89a");
}

Image decode_gif(Bytes bytes, const std::string& name) {
  MemoryFile memory{bytes};
  int code = D_GIF_SUCCEEDED;
  const std::unique_ptr<GifFileType, CloseGif> gif(DGifOpen(&memory, on_read, &code));
  if (!gif) {
    throw damaged(name, code);
  }
  const int transparent = find_frame(gif.get(), name);
  const Frame frame = frame_of(gif->Image, name);
  Image image;
  image.size = {std::max(static_cast<std::size_t>(gif->SHeight), frame.top + frame.height),
                std::max(static_cast<std::size_t>(gif->SWidth), frame.left + frame.width)};
  check_image_size(image.size, name);
  const auto rows = read_rows(gif.get(), frame, name);
  const std::array<Rgb, 256> palette = palette_of(*gif);
  const std::size_t width = image.size.width;
  image.rgb.resize(image.size.height * width * 3);
  const Rgb around = palette[static_cast<std::size_t>(std::max(transparent, 0))];
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    std::copy(around.begin(), around.end(), image.rgb.data() + i);
  }
  auto index = rows.begin();
  for (const std::size_t y : stored_rows(frame.height, gif->Image.Interlace)) {
    std::uint8_t* out = image.rgb.data() + ((frame.top + y) * width + frame.left) * 3;
    for (std::size_t x = 0; x < frame.width; ++x, ++index) {
      out = std::copy(palette[*index].begin(), palette[*index].end(), out);
    }
  }
  return image;
}

}  // namespace assay
