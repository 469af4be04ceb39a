# SPDX-License-Identifier: Apache-2.0
"""Inputs of the cases: files of golden/media with what they hold, and arrays in closed form."""

import struct
import wave
import zlib
from pathlib import Path

import numpy as np

import media_content as content
import weights

MEDIA = Path(__file__).resolve().parents[2] / "golden" / "media"
# What the files hold that the oracles' environment has no decoder for; make_media.py wrote them.
FLAC = {"chirp.flac": lambda: content.to_int16(content.chirp(24000))}
FILMS = {
    "moving.mkv": (lambda: content.moving(24, 48, 64), 8),
    "moving-silent.mkv": (lambda: content.moving(40, 32, 48), 12),
}


def file_bytes(name: str) -> np.ndarray:
    return np.frombuffer((MEDIA / name).read_bytes(), np.uint8)


def audio_of(name: str) -> np.ndarray:
    """The samples of a audio file of golden/media: 16 kHz, mono, float32."""
    if name in FLAC:
        return FLAC[name]().astype(np.float32) / np.float32(32768)
    data = (MEDIA / name).read_bytes()
    if struct.unpack_from("<H", data, 20)[0] == 3:  # float32
        body = data.index(b"data") + 8
        return np.frombuffer(data[body:], "<f4")
    with wave.open(str(MEDIA / name)) as file:
        assert file.getframerate() == 16000 and file.getnchannels() == 1
        stored = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return stored.astype(np.float32) / np.float32(32768)


def film_of(name: str) -> tuple[np.ndarray, float]:
    """All frames [n, h, w, 3] of a video file of golden/media, and its frames per second."""
    frames, fps = FILMS[name]
    return frames(), float(fps)


def noise(name: str, height: int, width: int) -> np.ndarray:
    count = height * width * 3
    return (256 * weights.uniform(name, count)).astype(np.uint8).reshape(height, width, 3)


def patches(name: str, count: int, width: int = 768) -> np.ndarray:
    """[count, width] in [0, 1]: multiples of 17 over 255 (small when packed), each patch with its
    own brightness and contrast."""
    u = weights.uniform(name, count * width).reshape(count, width)
    level = weights.uniform(name + "/level", count)[:, None]
    depth = weights.uniform(name + "/depth", count)[:, None]
    stored = 17 * np.clip(15 * (level + depth * (u - 0.5)) + 0.5, 0, 15).astype(np.uint8)
    return (stored.astype(np.float64) / 255).astype(np.float32)


def grid(wide: int, high: int, padding: int = 0) -> np.ndarray:
    """[wide * high + padding, 2] positions (x, y) in raster order, then padding."""
    y, x = np.mgrid[0:high, 0:wide]
    positions = np.stack([x, y], axis=-1).reshape(-1, 2)
    return np.concatenate([positions, np.full((padding, 2), -1)]).astype(np.int32)


def tone(count: int, hertz: float = 440.0, loudness: float = 0.5) -> np.ndarray:
    t = np.arange(count) / 16000
    wave_ = loudness * np.sin(2 * np.pi * hertz * t)
    return np.clip(wave_, -1, 1).astype(np.float32)


def hiss(name: str, count: int, loudness: float = 0.2) -> np.ndarray:
    """On a grid of 1/256 (small when packed)."""
    wave_ = loudness * (2 * weights.uniform(name, count) - 1)
    return (np.round(256 * wave_) / 256).astype(np.float32)


def mel(name: str, frames: int) -> np.ndarray:
    """[frames, 128] values like those of speech, multiples of 1/8 (small when packed)."""
    return np.round(8 * weights.generate(name, (frames, 128), -6.9, 2.9)) / np.float32(8)


def strip(number: int) -> np.ndarray:
    """An image that needs 35 soft tokens, no more: 17.6 times as wide as high."""
    band = content.gradient(10, 176)
    band[:, 40 * number : 40 * number + 30] = noise(f"strip-{number}", 10, 30)
    return band


def png_bytes(rgb: np.ndarray) -> np.ndarray:
    height, width, _ = rgb.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), rgb.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    out = b"\x89PNG\r\n\x1a\n"
    packed = zlib.compress(rows.tobytes(), 9)
    for kind, body in ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")):
        out += struct.pack(">I", len(body)) + kind + body
        out += struct.pack(">I", zlib.crc32(kind + body))
    return np.frombuffer(out, np.uint8)
