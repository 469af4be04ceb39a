# SPDX-License-Identifier: Apache-2.0
"""What the images and audio clips of golden/media show: closed formulas, no random generator."""

import numpy as np

GLYPHS = {  # 5 x 7, a bit per pixel, the leftmost highest
    "G": (14, 17, 16, 23, 17, 17, 14),
    "E": (31, 16, 16, 30, 16, 16, 31),
    "M": (17, 27, 21, 21, 17, 17, 17),
    "A": (14, 17, 17, 31, 17, 17, 17),
    "S": (15, 16, 16, 14, 1, 1, 30),
    "Y": (17, 17, 10, 4, 4, 4, 4),
    "4": (2, 6, 10, 18, 31, 2, 2),
    " ": (0, 0, 0, 0, 0, 0, 0),
}
FORMANTS = {
    "a": (730, 1090, 2440),
    "i": (270, 2290, 3010),
    "u": (300, 870, 2240),
    "o": (570, 840, 2410),
}
BANDWIDTHS = (80, 100, 140)  # Hz, of the three formants
RATE = 16000


def noise(count: int, seed: int) -> np.ndarray:
    """Uniform in [0, 1): the finaliser of MurmurHash3 over counters."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(seed * 1_000_003 + 1)) * np.uint64(
        0x9E3779B1
    )
    x &= np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x ^= x >> np.uint64(shift)
        x = (x * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return ((x ^ (x >> np.uint64(16))) / 2.0**32).astype(np.float64)


def to_bytes(x: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(x + 0.5), 0, 255).astype(np.uint8)


def gradient(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    down, across = y / max(1, height - 1), x / max(1, width - 1)
    return to_bytes(255 * np.stack([across, down, 1 - (across + down) / 2], axis=-1))


def checkerboard(height: int, width: int, side: int) -> np.ndarray:
    """Saturated colours: their edges overshoot in a bicubic filter and must be clipped."""
    y, x = np.mgrid[0:height, 0:width] // side
    colours = np.array([[255, 0, 0], [0, 255, 255], [0, 0, 255], [255, 255, 0]], dtype=np.uint8)
    return colours[(x + y) % 2 + 2 * (y // 3 % 2)]


def text(height: int, width: int, lines: list[str]) -> np.ndarray:
    """Black on nearly white, two pixels a dot, a line every 18 rows."""
    ink = np.zeros((height, width), dtype=bool)
    for row, line in enumerate(lines):
        for column, letter in enumerate(line):
            bits = np.array(
                [[g >> (4 - i) & 1 for i in range(5)] for g in GLYPHS[letter]], dtype=bool
            )
            dots = np.kron(bits, np.ones((2, 2), dtype=bool))
            top, left = 4 + 18 * row, 2 + 12 * column
            ink[top : top + 14, left : left + 10] |= dots
    return np.where(ink[..., None], np.uint8([20, 16, 40]), np.uint8([250, 248, 240]))


def photo(height: int, width: int, seed: int = 1) -> np.ndarray:
    """Octaves of smooth noise, each two thirds as strong: a spectrum like that of photographs."""
    total = np.zeros((height, width, 3))
    for octave in range(6):
        cell = 64 >> octave
        rows, columns = height // cell + 2, width // cell + 2
        lattice = noise(rows * columns * 3, 100 * seed + octave).reshape(rows, columns, 3) - 0.5
        y, x = np.arange(height) / cell, np.arange(width) / cell
        i, j = y.astype(int), x.astype(int)
        v, u = (y - i)[:, None, None], (x - j)[None, :, None]
        upper = lattice[i][:, j] * (1 - u) + lattice[i][:, j + 1] * u
        lower = lattice[i + 1][:, j] * (1 - u) + lattice[i + 1][:, j + 1] * u
        total += (upper * (1 - v) + lower * v) * 0.65**octave
    return to_bytes(128 + 140 * total)


def moving(count: int, height: int, width: int) -> np.ndarray:
    """A bright disc crosses a photograph; each frame has its own shade, so none is like another."""
    back = photo(height, width, seed=3) // 2
    y, x = np.mgrid[0:height, 0:width]
    frames = []
    for t in range(count):
        centre = width * (t + 0.5) / count
        disc = (x - centre) ** 2 + (y - height / 2) ** 2 < (height / 5) ** 2
        frames.append(
            np.where(disc[..., None], np.uint8([250, 220 - 3 * t, 4 * t]), back + np.uint8(t))
        )
    return np.stack(frames)


def tone(count: int, rate: int = RATE, hertz: float = 440.0) -> np.ndarray:
    t = np.arange(count) / rate
    return 0.5 * np.sin(2 * np.pi * hertz * t) + 0.1 * np.sin(2 * np.pi * 2.5 * hertz * t)


def chirp(count: int, first: float = 80.0, last: float = 7600.0) -> np.ndarray:
    t = np.arange(count) / RATE
    length = count / RATE
    return 0.6 * np.sin(2 * np.pi * (first * t + (last - first) * t * t / (2 * length)))


def resonate(x: np.ndarray, hertz: float, bandwidth: float) -> np.ndarray:
    """y[t] = g x[t] + b y[t-1] + c y[t-2]: one formant, of gain 1 at 0 Hz."""
    c = -np.exp(-2 * np.pi * bandwidth / RATE)
    b = 2 * np.exp(-np.pi * bandwidth / RATE) * np.cos(2 * np.pi * hertz / RATE)
    y, one, two = np.zeros_like(x), 0.0, 0.0
    for t, value in enumerate((1 - b - c) * x):
        one, two = value + b * one + c * two, one
        y[t] = one
    return y


def speech(vowels: str, count: int) -> np.ndarray:
    """Pulses of a falling voice, through three formants a vowel, each with a breath before it."""
    share = count // len(vowels)
    parts = []
    for number, vowel in enumerate(vowels):
        t = np.arange(share) / RATE
        phase = np.cumsum((130 - 8 * number - 20 * t) / RATE)
        source = np.diff(np.floor(phase), prepend=0.0) + 0.02 * (noise(share, 50 + number) - 0.5)
        for hertz, bandwidth in zip(FORMANTS[vowel], BANDWIDTHS):
            source = resonate(source, hertz, bandwidth)
        parts.append(source * np.minimum(1, np.minimum(t, t[::-1]) / 0.03))
    out = np.concatenate(parts + [np.zeros(count - share * len(vowels))])
    return 0.7 * out / np.abs(out).max()


def to_int16(x: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(32767 * x + 0.5), -32768, 32767).astype(np.int16)
