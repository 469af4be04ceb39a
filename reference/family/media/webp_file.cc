// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/webp_file.h"

#include <webp/decode.h>
#include <webp/demux.h>

#include <cstdint>
#include <memory>

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/image_file.h"
#include "reference/family/media/orientation.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

// Must outlive its iterator's use; WebPDemuxReleaseIterator frees nothing that the file owns.
struct FrameOfFile {
  WebPIterator frame = {};
  FrameOfFile() = default;
  FrameOfFile(const FrameOfFile&) = delete;
  FrameOfFile& operator=(const FrameOfFile&) = delete;
  ~FrameOfFile() { WebPDemuxReleaseIterator(&frame); }
};

const std::uint8_t* data_of(Bytes bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

const char* words_of(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "out of memory";
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "not enough data";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "unsupported feature";
    default:
      return "bitstream error";
  }
}

Error damaged(const std::string& name, const std::string& words) {
  return Error(name + ": WebP data: got \"" + words + "\", expected a whole WebP image");
}

// The size that the file states for itself is checked first: the demuxer's refusal has no words.
void check_length(Bytes bytes, const std::string& name) {
  constexpr std::size_t kChunkHeader = 8;
  const std::uint64_t stated = little_endian(bytes, 4, 4) + kChunkHeader;
  if (stated > bytes.size()) {
    throw Error(name + ": WebP: got " + std::to_string(bytes.size()) + " bytes, expected " +
                std::to_string(stated));
  }
}

Bytes chunk_of(const WebPDemuxer* demuxer, const char* chunk_name) {
  WebPChunkIterator chunk = {};
  Bytes body;
  if (WebPDemuxGetChunk(demuxer, chunk_name, 1, &chunk) != 0) {
    body = std::as_bytes(std::span(chunk.chunk.bytes, chunk.chunk.size));
  }
  WebPDemuxReleaseChunkIterator(&chunk);
  return body;  // lies in the file
}

void decode_into(Image& canvas, const WebPIterator& frame, const std::string& name) {
  const auto [height, width] = canvas.size;
  const auto x = static_cast<std::size_t>(frame.x_offset);
  const auto y = static_cast<std::size_t>(frame.y_offset);
  const auto w = static_cast<std::size_t>(frame.width), h = static_cast<std::size_t>(frame.height);
  if (x + w > width || y + h > height || w == 0 || h == 0) {
    throw damaged(name, "a frame outside of the canvas");
  }
  WebPDecoderConfig config;
  WebPInitDecoderConfig(&config);
  const std::size_t begin = (y * width + x) * 3;
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = canvas.rgb.data() + begin;
  config.output.u.RGBA.stride = static_cast<int>(width * 3);
  config.output.u.RGBA.size = canvas.rgb.size() - begin;
  const VP8StatusCode status = WebPDecode(frame.fragment.bytes, frame.fragment.size, &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) {
    throw damaged(name, words_of(status));
  }
}

}  // namespace

bool looks_like_webp(Bytes bytes) {
  return has_text(bytes, 0, "RIFF") && has_text(bytes, 8, "WEBP");
}

Image decode_webp(Bytes bytes, const std::string& name) {
  check_length(bytes, name);
  const WebPData data = {data_of(bytes), bytes.size()};
  const std::unique_ptr<WebPDemuxer, DeleteDemuxer> demuxer(WebPDemux(&data));
  if (!demuxer) {
    throw damaged(name, "chunks that do not fit together");
  }
  Image image;
  image.size = {WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT),
                WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH)};
  check_image_size(image.size, name);
  FrameOfFile first;
  if (WebPDemuxGetFrame(demuxer.get(), 1, &first.frame) == 0 || first.frame.complete == 0) {
    throw damaged(name, "no whole frame");
  }
  image.rgb.resize(image.size.height * image.size.width * 3);
  decode_into(image, first.frame, name);
  return upright(std::move(image), orientation_of({chunk_of(demuxer.get(), "EXIF"),
                                                   chunk_of(demuxer.get(), "XMP ")}));
}

}  // namespace assay
