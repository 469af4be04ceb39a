#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes golden/media: small images, audio clips and videos, and contents.txt, which says what each
holds when it is decoded.

make_media.py [--out DIR] [--check]

A line of contents.txt is the name, the shape and the FNV-1a hash (64 bits) of what a reader gives:
images as Pillow opens them, upright, convert("RGB"), [height, width, 3] bytes; audio clips as
float32 at 16 kHz, little-endian; videos twice, their frames [n, height, width, 3] and their audio.
All but the JPEGs and the resampled audio are known from what was put in.
"""

import argparse
import sys
import tempfile
import warnings
from pathlib import Path

import media_content as content
import media_formats as files
import numpy as np
from PIL import Image, ImageOps

MEDIA = Path(__file__).resolve().parents[2] / "golden" / "media"
UNGRADED = "-"  # the hash of what is resampled


def images() -> dict[str, bytes]:
    photo = content.photo(96, 128)
    alpha = content.gradient(48, 64)[..., :1]
    ramp = content.gradient(32, 48)
    colours = content.gradient(4, 4).reshape(16, 3)
    indices = (np.indices((40, 56)).sum(axis=0) // 5 % 16).astype(np.uint8)[..., None]
    palette = files.chunk(b"PLTE", colours.tobytes()) + files.chunk(
        b"tRNS", bytes(range(0, 256, 17))
    )
    turned = files.chunk(b"eXIf", files.exif(8))
    words = content.text(144, 48, ["GEM", "MA4", "SAY", "GAME", "MESA", "4444", "YES", "EASE"])
    inks = np.concatenate([content.photo(48, 48, seed=2), photo[:48, :48, :1]], axis=-1)
    return {
        "gradient-square.png": files.png(content.gradient(96, 96), files.RGB),
        "checkerboard-wide.png": files.png(content.checkerboard(64, 160, 8), files.RGB),
        "text-tall.png": files.png(words, files.RGB),
        "photo.png": files.png(photo, files.RGB),
        "one-pixel.png": files.png(np.uint8([[[200, 30, 90]]]), files.RGB),
        "alpha.png": files.png(np.concatenate([content.photo(48, 64), alpha], axis=-1), files.RGBA),
        "palette.png": files.png(indices, files.PALETTE, palette),
        "grey.png": files.png(ramp[..., :1], files.GREY),
        "grey-16-bit.png": files.png(ramp[..., :1].astype(np.uint16) * 3, files.GREY),
        "interlaced.png": files.png(photo[:37, :53], files.RGB, interlaced=True),
        "orientation-8.png": files.png(photo[:40, :64], files.RGB, turned),
        "photo.jpg": files.jpeg(photo, quality=90),
        "photo-progressive.jpg": files.jpeg(photo, quality=80, progressive=True),
        "photo-orientation-6.jpg": files.jpeg(photo, quality=90, exif=b"Exif\0\0" + files.exif(6)),
        "grey.jpg": files.jpeg(photo[..., 1], quality=85),
        "cmyk.jpg": files.jpeg(inks, quality=95),
    }


def audio_clips() -> dict[str, tuple[np.ndarray, int]]:
    """Samples as they are stored, and their rate."""
    int16 = content.to_int16
    left = content.tone(17640, rate=44100, hertz=660.0)
    right = content.tone(17640, rate=44100, hertz=990.0)
    long = content.tone(480_000, hertz=200.0) * 0.2
    return {
        "tone.wav": (int16(content.tone(16000)), 16000),
        "noise-float.wav": ((content.noise(8000, 9) - 0.5).astype(np.float32), 16000),
        "chirp.flac": (int16(content.chirp(24000)), 16000),
        "speech.wav": (int16(content.speech("aiuo", 24000)), 16000),
        "silence.wav": (np.zeros(8000, dtype=np.int16), 16000),
        "one-sample.wav": (np.int16([12345]), 16000),
        "thirty-seconds.flac": (int16(long), 16000),
        "stereo-44100.wav": (int16(np.stack([left, right], axis=-1)), 44100),
        "stereo.wav": (int16(np.stack([content.tone(4000), content.chirp(4000)], axis=-1)), 16000),
    }


def videos() -> dict[str, tuple[np.ndarray, int, np.ndarray | None]]:
    """Frames, frames per second, audio."""
    speech = content.to_int16(content.speech("oai", 48000))
    return {
        "moving.mkv": (content.moving(24, 48, 64), 8, speech),
        "moving-silent.mkv": (content.moving(40, 32, 48), 12, None),
    }


def fnv1a(data: bytes) -> str:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def line(name: str, array: np.ndarray, graded: bool = True) -> str:
    shape = "x".join(map(str, array.shape))
    return f"{name} {shape} {fnv1a(array.tobytes()) if graded else UNGRADED}"


def mono(samples: np.ndarray) -> np.ndarray:
    scale = 32768.0 if samples.dtype == np.int16 else 1.0
    columns = samples.astype(np.float64).reshape(len(samples), -1) / scale
    return (columns.sum(axis=1) / columns.shape[1]).astype(np.float32)


def make(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore", message="Palette images with Transparency")
    lines = []
    for name, data in images().items():
        (out / name).write_bytes(data)
        with Image.open(out / name) as image:
            lines.append(line(name, np.asarray(ImageOps.exif_transpose(image).convert("RGB"))))
    for name, (samples, rate) in audio_clips().items():
        if name.endswith(".flac"):
            files.flac(out / name, samples, rate)
        else:
            (out / name).write_bytes(files.wav(samples, rate))
        count = -(-len(samples) * 16000 // rate)
        heard = mono(samples) if rate == 16000 else np.zeros(count, dtype=np.float32)
        lines.append(line(name, heard, graded=rate == 16000))
    for name, (frames, fps, audio) in videos().items():
        files.video(out / name, frames, fps, audio)
        lines.append(line(name, frames))
        if audio is not None:
            lines.append(line(name + ":sound", mono(audio)))
    (out / "contents.txt").write_text("\n".join(lines) + "\n")


def differences(committed: Path, fresh: Path) -> list[str]:
    old = {p.name: p.read_bytes() for p in committed.iterdir() if p.is_file() and p.name != "README.md"}
    new = {p.name: p.read_bytes() for p in fresh.iterdir()}
    return [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=MEDIA)
    parser.add_argument("--check", action="store_true", help="compare with golden/media instead")
    arguments = parser.parse_args()
    if not arguments.check:
        make(arguments.out)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        problems = differences(MEDIA, Path(folder))
    for name in problems:
        print(f"golden: media/{name}: differs")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
