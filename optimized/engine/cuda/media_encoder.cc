// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/media_encoder.h"

namespace assay::cuda {
namespace {

// Built when it is needed first.
template <class Encoder>
Encoder& made(std::unique_ptr<Encoder>& encoder, const Checkpoint& checkpoint,
              const cpu::Threads& threads, Stream& stream) {
  if (!encoder) {
    encoder = std::make_unique<Encoder>(checkpoint, threads, stream);
  }
  return *encoder;
}

}  // namespace

cpu::Rows MediaEncoder::vision(const cpu::ImagePatches& image, const cpu::TapScope& tap) {
  return made(vision_, checkpoint(), threads_, stream_).encode(image, tap);
}

cpu::Rows MediaEncoder::audio(const cpu::Rows& mel, const Profile& profile,
                              const cpu::TapScope& tap) {
  return made(audio_, checkpoint(), threads_, stream_).encode(mel, profile, tap);
}

cpu::Rows MediaEncoder::unified_vision(const cpu::ImagePatches& image, const cpu::TapScope& tap) {
  return made(unified_vision_, checkpoint(), threads_, stream_).encode(image, tap);
}

cpu::Rows MediaEncoder::unified_audio(const cpu::Rows& rows, EmbedOrder order,
                                      const cpu::TapScope& tap) {
  return made(unified_audio_, checkpoint(), threads_, stream_).encode(rows, order, tap);
}

}  // namespace assay::cuda
