// SPDX-License-Identifier: Apache-2.0
#include "reference/files/sound_file.h"

#include <sndfile.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "reference/core/error.h"
#include "reference/files/file_bytes.h"
#include "reference/files/mono_sound.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kFramesAtOnce = 4096;
constexpr std::uint64_t kUnknownLength = 0xFFFFFFFF;  // written by programs that cannot seek

bool is_wav(Bytes bytes) {
  return has_text(bytes, 0, "RIFF") && has_text(bytes, 8, "WAVE");
}

bool is_flac(Bytes bytes) {
  return has_text(bytes, 0, "fLaC");
}

// libsndfile reads what is there of a cut file and says nothing, so the chunks are walked first.
void check_wav_chunks(Bytes bytes, const std::string& name) {
  for (std::size_t at = 12; at + 8 <= bytes.size();) {
    const std::size_t length = little_endian(bytes, at + 4, 4);
    const std::size_t left = bytes.size() - at - 8;
    if (has_text(bytes, at, "data")) {
      if (length > left && length != kUnknownLength) {
        throw Error(name + ": WAV data: got " + std::to_string(left) + " bytes, expected " +
                    std::to_string(length));
      }
      return;
    }
    at += 8 + length + length % 2;
  }
  throw Error(name + ": WAV chunks: got no chunk \"data\", expected one");
}

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

struct CloseSound {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

void check_format(const SF_INFO& info, const std::string& name) {
  const int container = info.format & SF_FORMAT_TYPEMASK;
  const int coding = info.format & SF_FORMAT_SUBMASK;
  const bool numbers = coding == SF_FORMAT_PCM_S8 || coding == SF_FORMAT_PCM_U8 ||
                       coding == SF_FORMAT_PCM_16 || coding == SF_FORMAT_PCM_24 ||
                       coding == SF_FORMAT_PCM_32 || coding == SF_FORMAT_FLOAT ||
                       coding == SF_FORMAT_DOUBLE;
  if (container != SF_FORMAT_WAV && container != SF_FORMAT_WAVEX && container != SF_FORMAT_FLAC) {
    throw Error(name + ": sound: got libsndfile's container " + std::to_string(container >> 16) +
                ", expected WAV or FLAC");
  }
  if (!numbers) {
    throw Error(name + ": coding: got libsndfile's number " + std::to_string(coding) +
                ", expected PCM of 8, 16, 24, 32 bits or floats");
  }
}

Error damaged(const std::string& name, const char* words) {
  return Error(name + ": sound: got \"" + printable(words) + "\", expected whole WAV or FLAC data");
}

Sound read_all(SNDFILE* file, const SF_INFO& info, const std::string& name) {
  const auto channels = static_cast<std::size_t>(info.channels);
  MonoSound sound(static_cast<std::size_t>(std::max(info.samplerate, 0)), channels, name);
  std::vector<double> block(kFramesAtOnce * channels);
  sf_count_t count = 0;
  do {
    count = sf_readf_double(file, block.data(), kFramesAtOnce);
    sound.append(std::span(block).first(static_cast<std::size_t>(count) * channels));
  } while (count > 0);
  if (sf_error(file) != SF_ERR_NO_ERROR) {
    throw damaged(name, sf_strerror(file));
  }
  if (info.frames != static_cast<sf_count_t>(sound.frames())) {
    throw Error(name + ": sound: got " + std::to_string(sound.frames()) + " samples, expected " +
                std::to_string(info.frames));
  }
  return sound.take();
}

}  // namespace

bool looks_like_sound(Bytes bytes) {
  return is_wav(bytes) || is_flac(bytes);
}

Sound decode_sound(Bytes bytes, const std::string& name) {
  if (!looks_like_sound(bytes)) {
    throw Error(name + ": sound: got " + first_bytes_text(bytes) + ", expected WAV or FLAC");
  }
  if (is_wav(bytes)) {
    check_wav_chunks(bytes, name);
  }
  MemoryFile memory{bytes};
  SF_VIRTUAL_IO access{file_length, file_seek, file_read, file_write, file_tell};
  SF_INFO info = {};
  const std::unique_ptr<SNDFILE, CloseSound> file(
      sf_open_virtual(&access, SFM_READ, &info, &memory));
  if (file == nullptr) {
    throw damaged(name, sf_strerror(nullptr));
  }
  check_format(info, name);
  return read_all(file.get(), info, name);
}

Sound read_sound_file(const std::filesystem::path& path) {
  return decode_sound(read_file_bytes(path, kMaxSoundFileBytes), file_label(path));
}

}  // namespace assay
