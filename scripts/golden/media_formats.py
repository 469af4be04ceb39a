# SPDX-License-Identifier: Apache-2.0
"""Writers of media files whose bytes depend on nothing but their arguments (and, for what is
compressed, on the versions that scripts/golden/run pins)."""

import io
import struct
import zlib
from pathlib import Path

import av
import numpy as np
from PIL import Image

GREY, RGB, PALETTE, RGBA = 0, 2, 3, 6  # colour types of PNG
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2)]
ADAM7 += [(1, 0, 2, 1)]  # first row, first column, step of rows, step of columns


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(pixels: np.ndarray, colour: int, chunks: bytes = b"", interlaced: bool = False) -> bytes:
    """[h, w, channels] of uint8 or uint16; every row with the Sub filter when it is 8 bits wide."""
    height, width, channels = pixels.shape
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    rows = b""
    for top, left, down, across in passes:
        part = pixels[top::down, left::across]
        for row in part if part.size else ():
            if row.dtype == np.uint8 and colour != PALETTE:
                row = np.concatenate([row[:1], row[1:] - row[:-1]])
                rows += b"\1" + row.tobytes()
            else:
                rows += b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, colour, 0, 0, interlaced)
    body = chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunks + body


def exif(orientation: int) -> bytes:
    """A TIFF structure with one entry."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return struct.pack("<2sHIH", b"II", 42, 8, 1) + entry + struct.pack("<I", 0)


def jpeg(pixels: np.ndarray, **options) -> bytes:
    """Grey [h, w], RGB [h, w, 3] or CMYK [h, w, 4]."""
    out = io.BytesIO()
    mode = "CMYK" if pixels.shape[2:] == (4,) else None
    image = Image.frombytes(mode, pixels.shape[1::-1], pixels.tobytes()) if mode else None
    (image or Image.fromarray(pixels)).save(out, "JPEG", **options)
    return out.getvalue()


def wav(samples: np.ndarray, rate: int) -> bytes:
    """int16 or float32, [frames] or [frames, channels]."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    width = samples.itemsize
    form = 1 if samples.dtype == np.int16 else 3
    head = struct.pack(
        "<HHIIHH", form, channels, rate, rate * channels * width, channels * width, 8 * width
    )
    body = samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    parts = b"WAVEfmt " + struct.pack("<I", len(head)) + head
    if form == 3:
        parts += struct.pack("<4sII", b"fact", 4, len(samples))
    parts += b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(parts)) + parts


def add_audio(container, rate: int):
    stream = container.add_stream("flac", rate=rate)
    stream.layout, stream.format = "mono", "s16"
    stream.codec_context.flags |= av.codec.context.Flags.bitexact
    return stream


def audio_packets(stream, samples: np.ndarray, rate: int) -> list:
    frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    return [*stream.encode(frame), *stream.encode(None)]


def flac(path: Path, samples: np.ndarray, rate: int) -> None:
    with av.open(str(path), "w", format="flac", options={"fflags": "+bitexact"}) as container:
        stream = add_audio(container, rate)
        for packet in audio_packets(stream, samples, rate):
            container.mux(packet)


def video(path: Path, frames: np.ndarray, fps: int, audio: np.ndarray | None) -> None:
    """FFV1 of [frames, h, w, 3], which loses nothing, with 16 kHz audio or without, in Matroska."""
    with av.open(str(path), "w", format="matroska", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("ffv1", rate=fps)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "bgr0"
        stream.codec_context.options = {"level": "3", "slicecrc": "1"}
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        stream.codec_context.thread_count = 1
        packets = []
        track = add_audio(container, 16000) if audio is not None else None
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="bgr0")
            frame.pts = number
            packets += stream.encode(frame)
        packets += stream.encode(None)
        packets += audio_packets(track, audio, 16000) if track else []
        for packet in sorted(packets, key=lambda p: p.pts * p.time_base):
            container.mux(packet)
