// SPDX-License-Identifier: Apache-2.0
// The one way of a media file to what an encoder's preprocessing takes:
//
//   an image (image_file.h)              -> an image   -> preprocess_image
//   a video (video_file.h)               -> frames     -> preprocess_image, each
//   audio (audio_file.h), a video's too  -> samples    -> log_mel (12B: rows of samples)
//
// `assay inspect` shows what comes out, `assay run` and the goldens go on to the encoders. Files
// are untrusted; every error is an assay::Error "name: thing: got X, expected Y".
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "reference/family/config/media_kind.h"
#include "reference/family/config/soft_tokens.h"
#include "reference/family/media/audio_file.h"
#include "reference/family/media/image_file.h"
#include "reference/family/media/video_file.h"

namespace assay {

// By the content: kImage, kVideo, kAudio, or nothing for another file.
std::optional<MediaKind> media_kind_of(std::span<const std::byte> bytes);

// Whether reading it takes FFmpeg's libraries, which a build may lack: video_support().
bool needs_ffmpeg(std::span<const std::byte> bytes, MediaKind kind);

using MediaContent = std::variant<Image, Video, Audio>;

// What `kind` asks for: an image (also for kFrame), the chosen frames of a video, or the samples of
// an audio file or of a video's audio track. `name` is the file's in messages.
MediaContent decode_media(std::span<const std::byte> bytes, MediaKind kind, const std::string& name,
                          const FrameChoice& frames = {});

// The same of a file, whose size is checked against the limit of its kind before memory is taken.
MediaContent read_media_file(const std::filesystem::path& path, MediaKind kind,
                             const FrameChoice& frames = {});

}  // namespace assay
