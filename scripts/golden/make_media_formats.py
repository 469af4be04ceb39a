# SPDX-License-Identifier: Apache-2.0
"""golden/media/formats: one small file of each form that is read, and what Pillow, soundfile and
FFmpeg make of it.

    python make_media_formats.py [--out FOLDER] [--check]

formats.txt has a line for each: name, shape, hash, and the reader. Images as Pillow opens them,
exif_transpose, convert("RGB"): [height, width, 3] bytes. Audio as soundfile reads it in float64,
averaged over channels and rounded to float32 once; M4A and AAC as FFmpeg decodes them, float32.
`-` stands for a hash where decoders may round differently; the samples lie beside the file then,
float32, little-endian, in NAME.f32.
"""

import argparse
import io
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import media_content as content
import numpy as np
import soundfile
from make_media import differences, fnv1a
from PIL import Image, ImageOps, PngImagePlugin

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "media" / "formats"
PHOTO = content.photo(24, 33, seed=7)
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description
 xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta>"""
XMP_ELEMENT = b"<rdf:Description><tiff:Orientation>%d</tiff:Orientation></rdf:Description>"


def alpha_of(height: int, width: int) -> np.ndarray:
    return content.to_bytes(255 * np.abs(np.sin(np.arange(height * width) / 5)).reshape(height, width))


def saved(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def raw_profile(orientation: int) -> str:
    """As ImageMagick writes EXIF into a PNG."""
    digits = exif(orientation).hex()
    lines = [digits[i : i + 72] for i in range(0, len(digits), 72)]
    return "\n".join(["", "exif", f"{len(digits) // 2:8d}", *lines, ""])


def images() -> dict[str, bytes]:
    rgb = Image.fromarray(PHOTO)
    rgba = Image.fromarray(np.dstack([PHOTO, alpha_of(*PHOTO.shape[:2])]), "RGBA")
    few = rgb.quantize(13, dither=Image.Dither.NONE)
    made = {}
    made |= webps(rgb, rgba)
    made |= gifs(few)
    made |= bmps(rgb, rgba, few)
    made |= tiffs(rgb, rgba, few)
    made |= turned(rgb)
    return made


def webps(rgb: Image.Image, rgba: Image.Image) -> dict[str, bytes]:
    frames = [rgb, rgb.transpose(Image.Transpose.ROTATE_180)]
    return {
        "lossy.webp": saved(rgb, "WEBP", quality=60),
        "lossless.webp": saved(rgb, "WEBP", lossless=True),
        "alpha.webp": saved(rgba, "WEBP", quality=70),
        "alpha-lossless.webp": saved(rgba, "WEBP", lossless=True, exact=True),
        "animated.webp": saved(
            frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True
        ),
        "exif-6.webp": saved(rgb, "WEBP", quality=60, exif=exif(6)),
        "xmp-8.webp": saved(rgb, "WEBP", quality=60, xmp=XMP % 8),
    }


def gif_with_offset(few: Image.Image) -> bytes:
    """A frame smaller than the screen, which Pillow does not write: the screen is made larger."""
    data = bytearray(saved(few, "GIF", transparency=3))
    data[6:10] = (40).to_bytes(2, "little") + (30).to_bytes(2, "little")
    at = data.index(b"\x2c" + bytes(4))  # the frame, at the upper left
    data[at + 1 : at + 5] = (4).to_bytes(2, "little") + (3).to_bytes(2, "little")
    return bytes(data)


def gifs(few: Image.Image) -> dict[str, bytes]:
    other = few.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return {
        "palette.gif": saved(few, "GIF", interlace=False),
        "interlaced.gif": saved(few, "GIF", interlace=True),
        "transparent.gif": saved(few, "GIF", transparency=2),
        "offset.gif": gif_with_offset(few),
        "grey.gif": saved(few.convert("L"), "GIF"),
        "animated.gif": saved(few, "GIF", save_all=True, append_images=[other], duration=80),
        "many-colours.gif": saved(Image.fromarray(PHOTO).quantize(256), "GIF"),
    }


def bmp(height: int, width: int, bits: int, coding: int, body: bytes, *, colours: bytes = b"",
        masks: tuple[int, ...] = (), top_down: bool = False, header: int = 40) -> bytes:  # fmt: skip
    number = lambda value, size=4: (value % (1 << 8 * size)).to_bytes(size, "little")  # noqa: E731
    if header == 12:
        info = number(12) + number(width, 2) + number(height, 2) + number(1, 2) + number(bits, 2)
    else:
        rows = -height if top_down else height
        info = number(header) + number(width) + number(rows) + number(1, 2) + number(bits, 2)
        info += number(coding) + number(len(body)) + number(2835) * 2
        info += number(len(colours) // 4) + number(0)
        info += b"".join(map(number, masks))
        info += bytes(max(0, header - len(info)))
    offset = 14 + len(info) + len(colours)
    return b"BM" + number(offset + len(body)) + bytes(4) + number(offset) + info + colours + body


def rows_of(pixels: np.ndarray) -> bytes:
    """[height, bytes] from the bottom up, each row filled up to four bytes."""
    filled = np.pad(pixels, ((0, 0), (0, -pixels.shape[1] % 4)))
    return filled[::-1].tobytes()


def rle8(indices: np.ndarray) -> bytes:
    """Runs of up to 255, and runs as they stand where three neighbours differ."""
    out = bytearray()
    for row in indices[::-1]:
        x = 0
        while x < len(row):
            run = 1
            while x + run < len(row) and run < 255 and row[x + run] == row[x]:
                run += 1
            if run == 1 and x + 4 <= len(row):
                out += bytes([0, 4, *row[x : x + 4]])
                x += 4
            else:
                out += bytes([run, row[x]])
                x += run
        out += b"\0\0"
    return bytes(out) + b"\0\1"


def rle4(indices: np.ndarray) -> bytes:
    out = bytearray()
    for row in indices[::-1]:
        for x in range(0, len(row) - 1, 2):
            out += bytes([2, row[x] << 4 | row[x + 1]])
        if len(row) % 2:
            out += bytes([1, row[-1] << 4])
        out += b"\0\0"
    return bytes(out) + b"\0\1"


def packed(indices: np.ndarray, bits: int) -> np.ndarray:
    each = np.unpackbits(indices.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :]
    return np.packbits(each.reshape(len(indices), -1), axis=1)


def sixteen(red: int, green: int, blue: int) -> np.ndarray:
    scaled = [PHOTO[..., k].astype(np.uint16) >> (8 - n) for k, n in enumerate((red, green, blue))]
    words = scaled[0] << (green + blue) | scaled[1] << blue | scaled[2]
    return words.astype("<u2").view(np.uint8).reshape(len(PHOTO), -1)


def bmps(rgb: Image.Image, rgba: Image.Image, few: Image.Image) -> dict[str, bytes]:
    height, width = PHOTO.shape[:2]
    indices = np.asarray(few)
    colours = bytes(
        b for i in range(0, 39, 3) for b in (*few.getpalette()[i : i + 3][::-1], 0)
    )
    bgr = np.ascontiguousarray(PHOTO[..., ::-1]).reshape(height, -1)
    bgra = np.ascontiguousarray(np.asarray(rgba)[..., [2, 1, 0, 3]]).reshape(height, -1)
    two = bytes((40, 50, 60, 0, 200, 190, 180, 0))
    size = (height, width)
    flat = np.repeat(indices[:, ::3], 3, axis=1)[:, :width]  # with runs
    return {
        "24.bmp": saved(rgb, "BMP"),
        "24-top-down.bmp": bmp(*size, 24, 0, rows_of(bgr[::-1]), top_down=True),
        "24-os2.bmp": bmp(*size, 24, 0, rows_of(bgr), header=12),
        "32.bmp": bmp(*size, 32, 0, rows_of(bgra)),
        "32-masks.bmp": bmp(*size, 32, 3, rows_of(bgra), header=124,
                            masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
        "32-masks-xbgr.bmp": bmp(*size, 32, 3, rows_of(np.roll(bgra, 1, axis=1)),
                                 masks=(0xFF000000, 0xFF0000, 0xFF00)),
        "16.bmp": bmp(*size, 16, 0, rows_of(sixteen(5, 5, 5))),
        "16-565.bmp": bmp(*size, 16, 3, rows_of(sixteen(5, 6, 5)), masks=(0xF800, 0x7E0, 0x1F)),
        "8.bmp": bmp(*size, 8, 0, rows_of(indices), colours=colours),
        "8-grey.bmp": saved(rgb.convert("L"), "BMP"),
        "8-rle.bmp": bmp(*size, 8, 1, rle8(flat), colours=colours),
        "4.bmp": bmp(*size, 4, 0, rows_of(packed(indices, 4)), colours=colours),
        "4-rle.bmp": bmp(*size, 4, 2, rle4(flat), colours=colours),
        "1.bmp": saved(rgb.convert("1"), "BMP"),
        "1-colours.bmp": bmp(*size, 1, 0, rows_of(packed(indices % 2, 1)), colours=two),
    }  # fmt: skip


def tiffs(rgb: Image.Image, rgba: Image.Image, few: Image.Image) -> dict[str, bytes]:
    grey = np.asarray(rgb.convert("L"))
    wide = Image.fromarray(grey.astype(np.uint16) * 3)
    premultiplied = bytearray(saved(rgba, "TIFF"))
    extra = premultiplied.index(b"\x52\x01\x03\0\1\0\0\0")  # ExtraSamples, one: 2, alpha
    premultiplied[extra + 8] = 1  # alpha by which colours are multiplied
    return {
        "raw.tif": saved(rgb, "TIFF"),
        "lzw.tif": saved(rgb, "TIFF", compression="tiff_lzw", tiffinfo={317: 2}),
        "deflate.tif": saved(rgb, "TIFF", compression="tiff_adobe_deflate"),
        "packbits.tif": saved(few, "TIFF", compression="packbits"),
        "jpeg.tif": saved(rgb, "TIFF", compression="jpeg", quality=85),
        "group4.tif": saved(rgb.convert("1"), "TIFF", compression="group4"),
        "bilevel.tif": saved(rgb.convert("1"), "TIFF"),
        "white-is-0.tif": saved(rgb.convert("1"), "TIFF", tiffinfo={262: 0}),
        "grey.tif": saved(rgb.convert("L"), "TIFF", compression="tiff_lzw"),
        "grey-16.tif": saved(wide, "TIFF", compression="tiff_lzw"),
        "float.tif": saved(Image.fromarray(grey.astype(np.float32) * 1.5 - 20), "TIFF"),
        "integer-32.tif": saved(Image.fromarray(grey.astype(np.int32) * 2 - 30), "TIFF"),
        "palette.tif": saved(few, "TIFF"),
        "alpha.tif": saved(rgba, "TIFF", compression="tiff_lzw"),
        "alpha-multiplied.tif": bytes(premultiplied),
        "grey-alpha.tif": saved(rgba.convert("LA"), "TIFF"),
        "cmyk.tif": saved(rgb.convert("CMYK"), "TIFF", compression="tiff_lzw"),
        "ycbcr.tif": saved(rgb.convert("YCbCr"), "TIFF", compression="jpeg", quality=90),
        "two-pages.tif": saved(rgb, "TIFF", save_all=True, append_images=[rgb.rotate(180)]),
        "orientation-6.tif": saved(rgb, "TIFF", tiffinfo={274: 6}),
        "strips.tif": saved(rgb, "TIFF", compression="tiff_lzw", tiffinfo={278: 5}),
        **tool_tiffs(rgb),
    }


def tool_tiffs(rgb: Image.Image) -> dict[str, bytes]:
    """What Pillow does not write, by libtiff's own tools from a plain file."""
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.tif"
        rgb.save(plain, "TIFF")
        forms = {
            "tiles.tif": ["-t", "-w", "16", "-l", "16", "-c", "lzw"],
            "planes.tif": ["-p", "separate", "-c", "zip"],
            "tiles-planes.tif": ["-p", "separate", "-t", "-w", "16", "-l", "16", "-c", "packbits"],
            "big-endian.tif": ["-B", "-c", "none"],
            "bigtiff.tif": ["-8", "-c", "lzw:2"],
        }
        for name, options in forms.items():
            out = Path(folder) / name
            subprocess.run(["tiffcp", *options, plain, out], check=True)
            made[name] = out.read_bytes()
        wide = (PHOTO.astype(np.uint16) * 257).byteswap().tobytes()
        for name, order in (("rgb-16.tif", "rgb48le"), ("rgb-16-be.tif", "rgb48be")):
            out = Path(folder) / name
            size = f"{PHOTO.shape[1]}x{PHOTO.shape[0]}"
            command = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb48be", "-s", size]
            command += ["-i", "-", "-pix_fmt", order, "-bitexact", out]
            subprocess.run(command, input=wide, check=True)
            made[name] = out.read_bytes()
    return made


def turned(rgb: Image.Image) -> dict[str, bytes]:
    def png(orientation_text: dict[str, str], packed: bool = False, international: bool = False):
        info = PngImagePlugin.PngInfo()
        for key, text in orientation_text.items():
            if international:
                info.add_itxt(key, text, zip=packed)
            else:
                info.add_text(key, text, zip=packed)
        return saved(rgb, "PNG", pnginfo=info)

    key, profile = "XML:com.adobe.xmp", "Raw profile type exif"
    xmp = (XMP % 6).decode()
    return {
        "xmp-6.jpg": saved(rgb, "JPEG", quality=80, xmp=XMP % 6),
        "xmp-element-3.jpg": saved(rgb, "JPEG", quality=80, xmp=XMP_ELEMENT % 3),
        "exif-1-xmp-6.jpg": saved(rgb, "JPEG", quality=80, exif=exif(1), xmp=XMP % 6),
        "xmp-9.jpg": saved(rgb, "JPEG", quality=80, xmp=XMP % 9),
        "xmp-6.png": png({key: xmp}, international=True),
        "xmp-packed-6.png": png({key: xmp}, packed=True, international=True),
        "xmp-text-6.png": png({key: xmp}),
        "raw-profile-5.png": png({profile: raw_profile(5)}),
        "raw-profile-packed-7.png": png({profile: raw_profile(7)}, packed=True),
        "raw-profile-6-xmp-3.png": png({profile: raw_profile(6), key: (XMP % 3).decode()}),
    }


def audio_bytes(samples: np.ndarray, rate: int, kind: str, coding: str, **options) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=kind, subtype=coding, **options)
    return out.getvalue()


def ogg_checksum(page: bytes) -> int:
    """CRC-32 of RFC 3533: polynomial 04c11db7, from the higher bit, begun with 0."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = value << 1 ^ (0x104C11DB7 if value >> 31 else 0)
    return value


def with_serial(ogg: bytes, serial: int = 1) -> bytes:
    """libsndfile gives each Ogg stream a number by chance; here it is always the same one."""
    out = bytearray()
    while ogg:
        segments = ogg[26]
        length = 27 + segments + sum(ogg[27 : 27 + segments])
        page = bytearray(ogg[:length])
        page[14:18] = serial.to_bytes(4, "little")
        page[22:26] = bytes(4)
        page[22:26] = ogg_checksum(page).to_bytes(4, "little")
        out += page
        ogg = ogg[length:]
    return bytes(out)


def without_clock(wav: bytes) -> bytes:
    """The chunk PEAK holds the second in which it was written; here it is 0."""
    at = wav.index(b"PEAK") + 12
    return wav[:at] + bytes(4) + wav[at + 4 :]


def audio_clips() -> dict[str, bytes]:
    voice = content.speech("ai", 4000)
    short = np.round(voice[:2000] * 32767).astype(np.int16)
    stereo = np.stack([voice[:2000], content.chirp(2000)], axis=-1)
    pcm = audio_bytes(short, 16000, "WAV", "PCM_16")
    at = pcm.index(b"data") + 4
    made = {
        "mu-law.wav": audio_bytes(voice, 16000, "WAV", "ULAW"),
        "a-law.wav": audio_bytes(voice, 16000, "WAV", "ALAW"),
        "ima-adpcm.wav": audio_bytes(voice, 16000, "WAV", "IMA_ADPCM"),
        "ms-adpcm.wav": audio_bytes(voice, 16000, "WAV", "MS_ADPCM"),
        "gsm.wav": audio_bytes(voice, 16000, "WAV", "GSM610"),
        "extensible-24.wav": audio_bytes(stereo, 16000, "WAVEX", "PCM_24"),
        "extensible-float.wav": without_clock(audio_bytes(voice[:1000], 16000, "WAVEX", "FLOAT")),
        "big-endian.wav": audio_bytes(short, 16000, "WAV", "PCM_16", endian="BIG"),
        "rf64.wav": audio_bytes(short, 16000, "RF64", "PCM_16"),
        "wave64.w64": audio_bytes(short, 16000, "W64", "PCM_16"),
        "aiff.aiff": audio_bytes(short, 16000, "AIFF", "PCM_16"),
        "mu-law.au": audio_bytes(voice, 16000, "AU", "ULAW"),
        "alac.caf": audio_bytes(short, 16000, "CAF", "ALAC_16"),
        "stereo.flac": audio_bytes(stereo, 16000, "FLAC", "PCM_24"),
        "vorbis.ogg": with_serial(audio_bytes(voice, 16000, "OGG", "VORBIS")),
        "opus.opus": with_serial(audio_bytes(voice, 16000, "OGG", "OPUS")),
        "speech.mp3": audio_bytes(voice, 16000, "MP3", "MPEG_LAYER_III"),
    }
    for name, length in (
        ("7fffffff", 0x7FFFFFFF), ("80000000", 0x80000000), ("ffffffdb", 0xFFFFFFDB),
        ("ffffffff", 0xFFFFFFFF), ("7ffff000", 0x7FFFF000),
    ):  # fmt: skip
        made[f"length-{name}.wav"] = pcm[:at] + length.to_bytes(4, "little") + pcm[at + 4 :]
    return made


def ffmpeg_clips() -> dict[str, bytes]:
    wav = audio_bytes(content.speech("ai", 4000), 16000, "WAV", "PCM_16")
    forms = {"aac.m4a": ["-c:a", "aac"], "aac.aac": ["-c:a", "aac", "-f", "adts"],
             "vorbis.mka": ["-c:a", "libvorbis"], "id3.mp3": ["-c:a", "libmp3lame", "-write_xing", "0"],
             "alac.m4a": ["-c:a", "alac"]}  # fmt: skip
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, options in forms.items():
            out = Path(folder) / name
            command = ["ffmpeg", "-v", "error", "-i", "-", *options, "-fflags", "+bitexact"]
            command += ["-flags:a", "+bitexact", "-metadata", "title=vowels", out]
            subprocess.run(command, input=wav, check=True)
            made[name] = out.read_bytes()
    return made


def uneven_videos(out: Path) -> None:
    """The same 40 frames with the same uneven times, in two containers."""
    source = ["-f", "lavfi", "-i", "testsrc=size=32x24:rate=30:duration=1.3334"]
    times = ["-vf", "setpts=(N+N*N/3)/30/TB", "-vsync", "vfr", "-frames:v", "40", "-c:v", "mpeg4"]
    for name in ("uneven.mkv", "uneven.mp4"):
        command = ["ffmpeg", "-v", "error", "-y", *source, *times, "-fflags", "+bitexact"]
        subprocess.run([*command, "-flags:v", "+bitexact", out / name], check=True)


def ffmpeg_samples(path: Path) -> np.ndarray:
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-ac", "1", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, "<f4")


def soundfile_samples(path: Path) -> np.ndarray:
    samples, _ = soundfile.read(path, dtype="float64", always_2d=True)
    return (samples.sum(axis=1) / samples.shape[1]).astype(np.float32)


BY_FFMPEG = (".m4a", ".aac", ".mka")
ROUNDED = (".mp3", ".ogg", ".opus", *BY_FFMPEG)  # lossy codings: decoders may round differently


def make(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    lines = []
    uneven_videos(out)
    for name, data in images().items():
        (out / name).write_bytes(data)
        with Image.open(out / name) as image:
            pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        shape = "x".join(map(str, pixels.shape))
        lines.append(f"{name} {shape} {fnv1a(pixels.tobytes())} pillow")
    for name, data in (audio_clips() | ffmpeg_clips()).items():
        (out / name).write_bytes(data)
        if name.endswith(BY_FFMPEG):
            samples, reader = ffmpeg_samples(out / name), "ffmpeg"
        else:
            samples = soundfile_samples(out / name)
            reader = "soundfile"
        rounded = name.endswith(ROUNDED) and not name.startswith("alac")
        if rounded:
            (out / f"{name}.f32").write_bytes(samples.astype("<f4").tobytes())
        lines.append(f"{name} {len(samples)} {'-' if rounded else fnv1a(samples.tobytes())} {reader}")
    (out / "formats.txt").write_text("\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--check", action="store_true", help="compare with the committed files")
    arguments = parser.parse_args()
    if not arguments.check:
        make(arguments.out)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        problems = differences(FOLDER, Path(folder))
    for name in problems:
        print(f"golden: media/formats/{name}: differs")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
