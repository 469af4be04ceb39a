// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/media_stream.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
}

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>

#include "reference/family/base/error.h"
#include "reference/family/media/image_file.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kReadBytes = 1u << 15;
constexpr std::size_t kMaxAllocation = 1u << 30;  // of libavutil, at once
constexpr const char* kContainers = "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,aac";

struct MemoryFile {
  Bytes bytes;
  std::size_t at = 0;
};

int on_read(void* user, std::uint8_t* out, int wanted) {
  auto& file = *static_cast<MemoryFile*>(user);
  const std::size_t count =
      std::min(static_cast<std::size_t>(std::max(wanted, 0)), file.bytes.size() - file.at);
  if (count == 0) {
    return AVERROR_EOF;
  }
  std::memcpy(out, file.bytes.data() + file.at, count);
  file.at += count;
  return static_cast<int>(count);
}

std::int64_t on_seek(void* user, std::int64_t offset, int whence) {
  auto& file = *static_cast<MemoryFile*>(user);
  const auto size = static_cast<std::int64_t>(file.bytes.size());
  if ((whence & AVSEEK_SIZE) != 0) {
    return size;
  }
  const int from = whence & ~AVSEEK_FORCE;
  const auto here = static_cast<std::int64_t>(file.at);
  const std::int64_t base = from == SEEK_SET ? 0 : from == SEEK_CUR ? here : size;
  if (offset < -base || offset > size - base) {
    return AVERROR(EINVAL);
  }
  file.at = static_cast<std::size_t>(base + offset);
  return base + offset;
}

// What a decoder says while it is at work. FFV1 conceals a damaged slice and returns no error, so
// what is said at the level of errors counts as one.
struct Complaint {
  std::array<char, 128> words = {};
};
thread_local Complaint* listening = nullptr;  // FFmpeg's callback has no argument of ours

void on_log(void*, int level, const char* format, va_list values) {
  if (level <= AV_LOG_ERROR && listening != nullptr && listening->words[0] == '\0') {
    std::vsnprintf(listening->words.data(), listening->words.size(), format, values);
  }
}

class Listener {
 public:
  Listener() { listening = &complaint_; }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { listening = nullptr; }

  std::string words() const {
    const std::string words = complaint_.words.data();
    return words.substr(0, words.find_last_not_of("\n ") + 1);
  }

 private:
  Complaint complaint_;
};

struct CloseInput {
  void operator()(AVFormatContext* input) const { avformat_close_input(&input); }
};
struct FreeAccess {
  void operator()(AVIOContext* access) const {
    av_freep(&access->buffer);  // FFmpeg may have put another one in place of ours
    avio_context_free(&access);
  }
};
struct FreeDecoder {
  void operator()(AVCodecContext* decoder) const { avcodec_free_context(&decoder); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct Options {
  AVDictionary* entries = nullptr;
  Options() = default;
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  ~Options() { av_dict_free(&entries); }
};

// Quarter turns and mirrors; the matrix maps the stored (x, y) to the shown
// (a x + c y + ..., b x + d y + ...), with a, b in its first row and c, d in its second.
int matrix_orientation(const std::int32_t* matrix) {
  const auto sign = [](std::int32_t value) { return value > 0 ? 1 : value < 0 ? -1 : 0; };
  const std::array<int, 4> turn = {sign(matrix[0]), sign(matrix[1]), sign(matrix[3]),
                                   sign(matrix[4])};
  constexpr std::array<std::array<int, 4>, 8> kTurns = {{{1, 0, 0, 1},
                                                         {-1, 0, 0, 1},
                                                         {-1, 0, 0, -1},
                                                         {1, 0, 0, -1},
                                                         {0, 1, 1, 0},
                                                         {0, 1, -1, 0},
                                                         {0, -1, -1, 0},
                                                         {0, -1, 1, 0}}};
  const auto found = std::find(kTurns.begin(), kTurns.end(), turn);
  return found == kTurns.end() ? 0 : static_cast<int>(found - kTurns.begin()) + 1;
}

}  // namespace

struct MediaStream::State {
  std::string name;
  const char* what = "";  // in messages
  MemoryFile file;
  // Freed from the last to the first: the input reads through the access.
  std::unique_ptr<AVIOContext, FreeAccess> access;
  std::unique_ptr<AVFormatContext, CloseInput> input;
  std::unique_ptr<AVCodecContext, FreeDecoder> decoder;
  std::unique_ptr<AVPacket, FreePacket> packet;
  std::unique_ptr<AVFrame, FreeFrame> frame;
  AVStream* stream = nullptr;
  bool ended = false;                                             // all packets are sent
  std::int64_t begin = std::numeric_limits<std::int64_t>::max();  // ticks, of the packets so far
  std::int64_t end = std::numeric_limits<std::int64_t>::min();

  Error bad(const std::string& words, const char* expected) const {
    return Error(name + ": " + what + ": got \"" + printable(words) + "\", expected " + expected);
  }

  void check(int code, const char* expected) const {
    if (code < 0) {
      std::array<char, AV_ERROR_MAX_STRING_SIZE> words = {};
      av_strerror(code, words.data(), words.size());
      throw bad(words.data(), expected);
    }
  }

  // A decoder's answer: its own words, where it has any, say more than its code.
  void check(int code, const Listener& listener) const {
    if (!listener.words().empty()) {
      throw bad(listener.words(), "whole frames");
    }
    check(code, "whole frames");
  }

  void open_input();
  void find_stream(AVMediaType type);
  void open_decoder();
  void note_time();
  void send_packet();
  int receive_frame();  // 0, or why there is none: AVERROR_EOF or AVERROR(EAGAIN)
};

void MediaStream::State::open_input() {
  auto* buffer = static_cast<unsigned char*>(av_malloc(kReadBytes));
  access.reset(avio_alloc_context(buffer, kReadBytes, 0, &file, on_read, nullptr, on_seek));
  if (!access) {
    av_free(buffer);
    throw Error(name + ": memory: got none, expected room for a reader");
  }
  Options options;
  av_dict_set(&options.entries, "format_whitelist", kContainers, 0);
  av_dict_set(&options.entries, "protocol_whitelist", "none", 0);
  av_dict_set(&options.entries, "max_streams", "64", 0);
  AVFormatContext* opened = avformat_alloc_context();
  if (opened != nullptr) {
    opened->pb = access.get();
    opened->flags |= AVFMT_FLAG_CUSTOM_IO;
  }
  const int code = avformat_open_input(&opened, "", nullptr, &options.entries);
  input.reset(opened);  // null after a failure
  check(code, "a video");
  check(avformat_find_stream_info(input.get(), nullptr), "a video");
}

void MediaStream::State::find_stream(AVMediaType type) {
  for (unsigned i = 0; i < input->nb_streams; ++i) {
    AVStream* candidate = input->streams[i];
    const bool cover = (candidate->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    if (stream == nullptr && candidate->codecpar->codec_type == type && !cover) {
      stream = candidate;
    } else {
      candidate->discard = AVDISCARD_ALL;
    }
  }
}

void MediaStream::State::open_decoder() {
  const AVCodecParameters& facts = *stream->codecpar;
  if (facts.codec_type == AVMEDIA_TYPE_VIDEO) {
    check_image_size({static_cast<std::size_t>(std::max(facts.height, 0)),
                      static_cast<std::size_t>(std::max(facts.width, 0))},
                     name);
  }
  const AVCodec* codec = avcodec_find_decoder(facts.codec_id);
  if (codec == nullptr) {
    throw Error(name + ": " + what + ": got codec \"" +
                printable(avcodec_get_name(facts.codec_id)) + "\", expected one with a decoder");
  }
  decoder.reset(avcodec_alloc_context3(codec));
  packet.reset(av_packet_alloc());
  frame.reset(av_frame_alloc());
  if (!decoder || !packet || !frame) {
    throw Error(name + ": memory: got none, expected room for a decoder");
  }
  check(avcodec_parameters_to_context(decoder.get(), &facts), "a video");
  decoder->pkt_timebase = stream->time_base;
  decoder->thread_count = 1;
  decoder->max_pixels = static_cast<std::int64_t>(kMaxImagePixels);
  decoder->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
  check(avcodec_open2(decoder.get(), codec, nullptr), "a codec that can be opened");
}

void MediaStream::State::note_time() {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
  const std::int64_t at = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
  const std::int64_t length = std::max<std::int64_t>(packet->duration, 0);
  if (at > -kMost && at < kMost && length < kMost && (packet->flags & AV_PKT_FLAG_DISCARD) == 0) {
    begin = std::min(begin, at);
    end = std::max(end, at + length);
  }
}

void MediaStream::State::send_packet() {
  const int code = av_read_frame(input.get(), packet.get());
  ended = code == AVERROR_EOF;
  if (!ended) {
    check(code, "whole packets");
  }
  if (!ended && packet->stream_index != stream->index) {
    av_packet_unref(packet.get());
    return;
  }
  if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0) {
    throw bad("corrupt packet", "whole packets");
  }
  if (!ended) {
    note_time();
  }
  const Listener listener;
  const int sent = avcodec_send_packet(decoder.get(), ended ? nullptr : packet.get());
  av_packet_unref(packet.get());
  check(sent, listener);
}

int MediaStream::State::receive_frame() {
  const Listener listener;
  const int code = avcodec_receive_frame(decoder.get(), frame.get());
  const bool none = code == AVERROR_EOF || code == AVERROR(EAGAIN);
  check(none ? 0 : code, listener);
  if (!none && (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0) {
    throw bad("corrupt frame", "whole frames");
  }
  return code;
}

MediaStream::MediaStream(Bytes bytes, const std::string& name, StreamKind kind)
    : state_(std::make_unique<State>()) {
  av_log_set_callback(on_log);
  av_max_alloc(kMaxAllocation);
  const bool image = kind == StreamKind::kImage;
  state_->name = name;
  state_->what = image ? "video" : "audio track";
  state_->file.bytes = bytes;
  state_->open_input();
  state_->find_stream(image ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO);
  if (state_->stream != nullptr) {
    state_->open_decoder();
  }
}

MediaStream::~MediaStream() = default;

bool MediaStream::exists() const {
  return state_->stream != nullptr;
}

double MediaStream::frames_per_second() const {
  const AVRational rate = state_->stream->avg_frame_rate;
  return rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
}

double MediaStream::tick() const {
  return av_q2d(state_->stream->time_base);
}

double MediaStream::begin() const {
  return static_cast<double>(state_->begin) * tick();
}

double MediaStream::end() const {
  return static_cast<double>(state_->end) * tick();
}

double MediaStream::seconds() const {
  const std::int64_t at = state_->frame->best_effort_timestamp;
  return at == AV_NOPTS_VALUE ? std::numeric_limits<double>::quiet_NaN()
                              : static_cast<double>(at) * tick();
}

int MediaStream::orientation() const {
  std::size_t size = 0;
  const std::uint8_t* data =
      av_stream_get_side_data(state_->stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  std::array<std::int32_t, 9> matrix = {};
  if (data == nullptr || size < sizeof(matrix)) {
    return 1;
  }
  std::memcpy(matrix.data(), data, sizeof(matrix));
  const int orientation = matrix_orientation(matrix.data());
  if (orientation == 0) {
    throw Error(state_->name + ": rotation: got " +
                std::to_string(av_display_rotation_get(matrix.data())) +
                " degrees, expected quarter turns");
  }
  return orientation;
}

const AVFrame* MediaStream::next() {
  State& s = *state_;
  for (;;) {
    const int code = s.receive_frame();
    if (code == 0) {
      return s.frame.get();
    }
    if (code == AVERROR_EOF || s.ended) {
      return nullptr;
    }
    s.send_packet();
  }
}

}  // namespace assay
