// SPDX-License-Identifier: Apache-2.0
extern "C" {
#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <cmath>
#include <memory>

#include "reference/family/base/error.h"
#include "reference/family/media/image_file.h"
#include "reference/family/media/media_stream.h"
#include "reference/family/media/mono_audio.h"
#include "reference/family/media/orientation.h"
#include "reference/family/media/video_decoder.h"
#include "reference/family/preprocess/video_frames.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

constexpr double kMostSeconds = 1e9;
constexpr std::size_t kRowAlignment = 64;  // bytes; swscale writes whole vectors

struct FreeScaler {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
struct FreeResampler {
  void operator()(SwrContext* resampler) const { swr_free(&resampler); }
};

std::string text_of(ImageSize size) {
  return std::to_string(size.width) + " x " + std::to_string(size.height) + " pixels";
}

ImageSize size_of(const AVFrame& frame) {
  return {static_cast<std::size_t>(std::max(frame.height, 0)),
          static_cast<std::size_t>(std::max(frame.width, 0))};
}

void use_colours_of(const AVFrame& frame, SwsContext* scaler) {
  constexpr int kUnit = 1 << 16;  // of contrast and saturation
  sws_setColorspaceDetails(scaler, sws_getCoefficients(frame.colorspace),
                           frame.color_range == AVCOL_RANGE_JPEG ? 1 : 0,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, kUnit, kUnit);
}

Image image_of(const AVFrame& frame, const std::string& name) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const std::unique_ptr<SwsContext, FreeScaler> scaler(sws_getContext(
      frame.width, frame.height, format, frame.width, frame.height, AV_PIX_FMT_RGB24,
      SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr, nullptr));
  const AVPixFmtDescriptor* facts = av_pix_fmt_desc_get(format);
  if (!scaler || facts == nullptr) {
    throw Error(name + ": pixel format: got " + std::to_string(frame.format) +
                ", expected one that swscale reads");
  }
  if ((facts->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) == 0) {
    use_colours_of(frame, scaler.get());
  }
  Image image{size_of(frame), {}};
  const std::size_t row = image.size.width * 3;
  const std::size_t stride = (row / kRowAlignment + 2) * kRowAlignment;
  std::vector<std::uint8_t> rows(stride * image.size.height);
  std::uint8_t* const planes[] = {rows.data(), nullptr, nullptr, nullptr};
  const int strides[] = {static_cast<int>(stride), 0, 0, 0};
  sws_scale(scaler.get(), frame.data, frame.linesize, 0, frame.height, planes, strides);
  image.rgb.resize(row * image.size.height);
  for (std::size_t y = 0; y < image.size.height; ++y) {
    std::copy_n(rows.data() + y * stride, row, image.rgb.data() + y * row);
  }
  return image;
}

struct Count {
  std::size_t frames = 0;
  double fps = 0;
  bool fps_varies = false;
  ImageSize size;  // of the first frame, as stored
};

// Whether frames come at the rate that the file states: each within a tick of its place.
class SteadyRate {
 public:
  SteadyRate(double stated, double tick) : stated_(stated), tick_(tick) {}

  void add(double seconds) {
    const double place = static_cast<double>(count_++) / stated_;
    first_ = count_ == 1 ? seconds : first_;
    const double off = std::abs(seconds - first_ - place);
    holds_ = holds_ && off <= kTicks * tick_;  // false where the time stamp is no number
  }
  bool holds() const { return holds_ && stated_ > 0; }

 private:
  static constexpr double kTicks = 1.5;  // the first is rounded too
  double stated_, tick_, first_ = 0;
  std::size_t count_ = 0;
  bool holds_ = true;
};

void set_rate(Count& count, const MediaStream& stream, bool steady) {
  const double stated = stream.frames_per_second();
  const double length = stream.end() - stream.begin();
  const bool timed = length > 0 && length < kMostSeconds;
  count.fps_varies = timed && !steady;
  count.fps = steady || !timed ? stated : static_cast<double>(count.frames) / length;
}

// A pass that keeps nothing.
Count count_frames(Bytes bytes, const std::string& name) {
  MediaStream stream(bytes, name, StreamKind::kImage);
  if (!stream.exists()) {
    throw Error(name + ": video: got no stream of images, expected one");
  }
  Count count;
  SteadyRate rate(stream.frames_per_second(), stream.tick());
  std::size_t pixels = 0;
  while (const AVFrame* frame = stream.next()) {
    const ImageSize size = size_of(*frame);
    if (count.frames == 0) {
      check_image_size(size, name);
      count.size = size;
    } else if (size != count.size) {
      throw Error(name + ": frame " + std::to_string(count.frames) + ": got " + text_of(size) +
                  ", expected " + text_of(count.size) + " as in the first; scale it: ffmpeg -i " +
                  name + " -vf scale=" + std::to_string(count.size.width) + ":" +
                  std::to_string(count.size.height) + " out.mkv");
    }
    rate.add(stream.seconds());
    pixels += size.height * size.width;
    if (++count.frames > kMaxVideoFrames || pixels > kMaxVideoPixels) {
      throw Error(name + ": video: got more than " + std::to_string(count.frames - 1) +
                  " frames of " + text_of(size) + ", expected at most so many");
    }
  }
  set_rate(count, stream, rate.holds());
  return count;
}

void check_count(const Count& count, std::size_t num_frames, const std::string& name) {
  if (num_frames == 0 || count.frames < num_frames) {
    throw Error(name + ": frames: got " + std::to_string(count.frames) + ", expected at least " +
                std::to_string(std::max<std::size_t>(num_frames, 1)));
  }
  if (num_frames > kMaxKeptVideoPixels / (count.size.height * count.size.width)) {
    throw Error(name + ": frames: got " + std::to_string(num_frames) + " of " +
                text_of(count.size) + " to keep, expected at most " +
                std::to_string(kMaxKeptVideoPixels) + " pixels in all");
  }
}

std::vector<Image> chosen_frames(Bytes bytes, const std::string& name,
                                 const std::vector<std::size_t>& indices) {
  MediaStream stream(bytes, name, StreamKind::kImage);
  const int orientation = stream.orientation();
  std::vector<Image> images;
  for (std::size_t i = 0; images.size() < indices.size(); ++i) {
    const AVFrame* frame = stream.next();
    if (frame == nullptr) {
      throw Error(name + ": frames: got " + std::to_string(i) + ", expected at least " +
                  std::to_string(indices.back() + 1));
    }
    if (i == indices[images.size()]) {
      images.push_back(upright(image_of(*frame, name), orientation));
    }
  }
  return images;
}

// The samples of a frame as doubles, by FFmpeg's conversion of formats: nothing is mixed, and
// nothing resampled.
class SampleReader {
 public:
  SampleReader(const AVFrame& first, std::string name) : name_(std::move(name)) {
    AVChannelLayout layout = first.ch_layout;
    if (layout.order == AV_CHANNEL_ORDER_UNSPEC) {
      av_channel_layout_default(&layout, first.ch_layout.nb_channels);
    }
    SwrContext* made = nullptr;
    const int code = swr_alloc_set_opts2(&made, &layout, AV_SAMPLE_FMT_DBL, first.sample_rate,
                                         &layout, static_cast<AVSampleFormat>(first.format),
                                         first.sample_rate, 0, nullptr);
    resampler_.reset(made);
    if (code < 0 || swr_init(made) < 0) {
      throw Error(name_ + ": audio track: got sample format " + std::to_string(first.format) +
                  ", expected one that swresample reads");
    }
    format_ = first.format;
    rate_ = first.sample_rate;
    channels_ = first.ch_layout.nb_channels;
  }

  std::span<const double> read(const AVFrame& frame) {
    if (frame.format != format_ || frame.sample_rate != rate_ ||
        frame.ch_layout.nb_channels != channels_) {
      throw Error(name_ + ": audio track: got " + std::to_string(frame.ch_layout.nb_channels) +
                  " channels at " + std::to_string(frame.sample_rate) + " Hz, expected " +
                  std::to_string(channels_) + " at " + std::to_string(rate_) + " throughout");
    }
    const auto frames = static_cast<std::size_t>(std::max(frame.nb_samples, 0));
    const auto channels = static_cast<std::size_t>(channels_);
    samples_.resize(std::max(samples_.size(), frames * channels));
    auto* out = reinterpret_cast<std::uint8_t*>(samples_.data());
    const auto** in = const_cast<const std::uint8_t**>(frame.extended_data);
    const int count = swr_convert(resampler_.get(), &out, frame.nb_samples, in, frame.nb_samples);
    if (count != frame.nb_samples) {
      throw Error(name_ + ": audio track: got " + std::to_string(count) + " samples, expected " +
                  std::to_string(frame.nb_samples));
    }
    return std::span(samples_).first(frames * channels);
  }

 private:
  std::string name_;
  std::unique_ptr<SwrContext, FreeResampler> resampler_;
  int format_ = 0, rate_ = 0, channels_ = 0;
  std::vector<double> samples_;
};

}  // namespace

bool video_support() {
  return true;
}

std::optional<Audio> decode_checked_audio_track(Bytes bytes, const std::string& name) {
  MediaStream stream(bytes, name, StreamKind::kAudio);
  const AVFrame* frame = stream.exists() ? stream.next() : nullptr;
  if (frame == nullptr) {
    return {};
  }
  MonoAudio audio(static_cast<std::size_t>(std::max(frame->sample_rate, 0)),
                  static_cast<std::size_t>(std::max(frame->ch_layout.nb_channels, 0)), name);
  SampleReader reader(*frame, name);
  for (; frame != nullptr; frame = stream.next()) {
    audio.append(reader.read(*frame));
  }
  return audio.take();
}

Video decode_checked_video(Bytes bytes, const std::string& name, const FrameChoice& choice) {
  const Count count = count_frames(bytes, name);
  const std::size_t num_frames = frame_count(count.frames, count.fps, choice);
  check_count(count, num_frames, name);
  Video video;
  video.frames_in_file = count.frames;
  video.fps = count.fps;
  video.fps_varies = count.fps_varies;
  video.indices = frame_indices(count.frames, num_frames);
  video.seconds = frame_seconds(video.indices, count.fps > 0 ? count.fps : kDefaultFramesPerSecond);
  video.frames = chosen_frames(bytes, name, video.indices);
  video.audio = decode_checked_audio_track(bytes, name);
  return video;
}

}  // namespace assay
