// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/audio_file.h"

#include <sndfile.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "reference/family/base/error.h"
#include "reference/family/media/audio_format.h"
#include "reference/family/media/audio_header.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/mono_audio.h"
#include "reference/family/media/video_file.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kFramesAtOnce = 4096;
struct MemoryFile {
  Bytes bytes;
  sf_count_t at = 0;
};

sf_count_t file_length(void* file) {
  return static_cast<sf_count_t>(static_cast<MemoryFile*>(file)->bytes.size());
}

sf_count_t file_seek(sf_count_t offset, int whence, void* user) {
  auto& file = *static_cast<MemoryFile*>(user);
  const sf_count_t length = file_length(user);
  const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.at : length;
  if (offset < -base || offset > length - base) {
    return -1;
  }
  file.at = base + offset;
  return file.at;
}

sf_count_t file_read(void* out, sf_count_t count, void* user) {
  auto& file = *static_cast<MemoryFile*>(user);
  const sf_count_t taken = std::clamp<sf_count_t>(file_length(user) - file.at, 0, count);
  std::memcpy(out, file.bytes.data() + file.at, static_cast<std::size_t>(taken));
  file.at += taken;
  return taken;
}

sf_count_t file_write(const void*, sf_count_t, void*) {
  return 0;
}

sf_count_t file_tell(void* file) {
  return static_cast<MemoryFile*>(file)->at;
}

struct CloseAudio {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

Error damaged(const std::string& name, const char* words) {
  return Error(name + ": audio: got \"" + printable(words) + "\", expected whole audio data");
}

// What MPEG and Ogg say of their length is an estimate, or the place of the last packet.
bool states_its_length(AudioFormat format) {
  return format != AudioFormat::kMpeg && format != AudioFormat::kOgg;
}

Audio read_all(SNDFILE* file, const SF_INFO& info, bool known, const std::string& name) {
  const auto channels = static_cast<std::size_t>(std::max(info.channels, 0));
  MonoAudio audio(static_cast<std::size_t>(std::max(info.samplerate, 0)), channels, name);
  std::vector<double> block(kFramesAtOnce * channels);
  sf_count_t count = 0;
  do {
    count = sf_readf_double(file, block.data(), kFramesAtOnce);
    if (sf_error(file) != SF_ERR_NO_ERROR) {  // the next read forgets it
      throw damaged(name, sf_strerror(file));
    }
    audio.append(std::span(block).first(static_cast<std::size_t>(count) * channels));
  } while (count > 0);
  // A FLAC that was written to a pipe does not know its length; libsndfile then says the largest.
  known = known && info.frames <= static_cast<sf_count_t>(kMaxAudioFrames);
  if (known && info.frames != static_cast<sf_count_t>(audio.frames())) {
    throw Error(name + ": audio: got " + std::to_string(audio.frames()) + " samples, expected " +
                std::to_string(info.frames));
  }
  return audio.take();
}

}  // namespace

bool looks_like_audio(Bytes bytes) {
  return audio_format(bytes) != AudioFormat::kNone;
}

Audio decode_audio(Bytes bytes, const std::string& name) {
  const AudioFormat format = audio_format(bytes);
  if (format == AudioFormat::kAac || (format == AudioFormat::kNone && looks_like_video(bytes))) {
    return decode_audio_track(bytes, name);
  }
  if (format == AudioFormat::kNone) {
    throw Error(name + ": audio: " + got_kind_text(bytes, name, kAudioFormats));
  }
  check_audio_header(bytes, format, name);
  MemoryFile memory{bytes};
  SF_VIRTUAL_IO access{file_length, file_seek, file_read, file_write, file_tell};
  SF_INFO info = {};
  const std::unique_ptr<SNDFILE, CloseAudio> file(
      sf_open_virtual(&access, SFM_READ, &info, &memory));
  if (file == nullptr) {
    throw damaged(name, sf_strerror(nullptr));
  }
  return read_all(file.get(), info, states_its_length(format), name);
}

}  // namespace assay
