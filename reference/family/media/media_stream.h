// SPDX-License-Identifier: Apache-2.0
// The decoded frames of one stream of a video file in memory, one after another, through FFmpeg.
//
// Only the containers of video_container.h are opened and no other file is, whatever the bytes
// say. One thread, so that results do not depend on the machine.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct AVFrame;  // of libavutil

namespace assay {

enum class StreamKind { kImage, kAudio };

class MediaStream {
 public:
  // The first stream of this kind; cover images do not count. Throws Error for what is no video.
  MediaStream(std::span<const std::byte> bytes, const std::string& name, StreamKind kind);
  MediaStream(const MediaStream&) = delete;
  MediaStream& operator=(const MediaStream&) = delete;
  ~MediaStream();

  bool exists() const;               // the file has such a stream
  double frames_per_second() const;  // that the file states; 0 when it does not say
  double tick() const;               // seconds: the unit of its time stamps

  // Of the packets so far: the first time stamp, and the last with its duration, in seconds.
  double begin() const;
  double end() const;
  double seconds() const;   // the time stamp of the last frame; not a number where it has none
  int orientation() const;  // as EXIF counts

  // Null at the end. Valid until the next call. Throws Error for damaged data.
  const AVFrame* next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay
