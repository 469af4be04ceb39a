# SPDX-License-Identifier: Apache-2.0
"""Cases with media: encoders on small inputs, preprocessing, whole prompts, the switches."""

from dataclasses import replace

import numpy as np

import media_content as content
import media_inputs as given
import miniatures
import synthetic
from case import Case
from media_prompt import Item, audio_clip, cut_image, log_mel, prompt, soft_tokens
from topologies import B12_MEDIA, B26_MEDIA, B31_MEDIA, E2B_MEDIA, E4B_MEDIA, Topology

ENDS = (r"vision\.(tower_out|embed\..*)", r"audio\.(tower_out|embed\..*)")
VISION = (  # of an encoder case that is not full
    r"vision\.(patch_embed|pool.*|standardized)",
    r"vision\.layer\.\d+\.(attn\.[qk]_rope|attn\.context|out)",
    r"image\.positions",
)
AUDIO = (
    r"audio\.(input_proj|mel_mask)",
    r"audio\.layer\.\d+\.(attn\.(logits|logits_capped|probs|context)|lconv\.out|out)",
)
LARGE = r"(vision\.pixels_pm1|audio\.subsample\..*|audio\.(frames_windowed|magnitude))"
FULL = (rf"(?!{LARGE})(vision|audio|image|unified)\..*",)
SPECTRUM = (r"audio\.(samples|frames_windowed|magnitude|mel_linear|mel|mel_mask)",)
PIXELS = (r"image\.(rgb|target_size|resized|positions|num_soft_tokens)",)
SIZES = (r"image\.(target_size|num_soft_tokens)", r"video\..*")
MERGE = (r"text\.(ids_expanded|mm_type|ids|positions|embed|mask\..*|ple\.ids)",)


def media(*patterns: str) -> tuple[str, ...]:
    """The same taps of every item."""
    return tuple(rf"media\.\d+\.({pattern})" for pattern in patterns)


def whole(t: Topology) -> tuple[str, ...]:
    """From the merged sequence to the logits: what the first and the last layer give."""
    return (*MERGE, rf"text\.(layer\.(0|{len(t.layers) - 1})\.out|logits)")


def case(t: Topology, name: str, parts: list, keep: tuple[str, ...], profile: str = "REF") -> Case:
    data = prompt(t, name, parts)
    if profile != "REF":
        data["profile"] = np.array(profile)
    synth = synthetic.SYNTH.get(t.name, "")
    return Case(t.name, name, data, False, keep=keep, profile=profile, synth=synth)


# -- encoders --------------------------------------------------------------------------------------


def patches(t: Topology, name: str, wide: int, high: int, padding: int = 0) -> Item:
    width = t.unified.pixels if t.unified else 768
    values = given.patches(f"{t.name}/{name}", wide * high + padding, width)
    values[wide * high :] = 0
    return cut_image(values, given.grid(wide, high, padding), bool(t.unified))


def vision_cases(t: Topology) -> dict[str, Case]:
    small = [1, patches(t, "6x3", 6, 3), 1]
    padded = [1, patches(t, "9x6", 9, 6, padding=9), 1]
    two = [1, patches(t, "3x3", 3, 3), patches(t, "12x3", 12, 3, padding=18), 1]
    # of three layers the last says enough
    full = FULL if t.vision_encoder.layers < 3 else (r"(?!vision\.layer\.[01])(vision|image)\..*",)
    pixels_ = (r"media\.0\.vision\.pixels_pm1",)
    return {
        "full": case(t, "vision-full", small, media(*full) + MERGE),
        "padded": case(t, "vision-padded", padded, media(*VISION, *ENDS)),
        "two": case(t, "vision-two", two, media(*VISION, *ENDS) + pixels_ + MERGE),
    }


def audio_cases(t: Topology) -> dict[str, Case]:
    def frames(count: int, valid: int | None = None) -> list:
        return [1, log_mel(given.mel(f"{t.name}/mel-{count}", count), valid), 1]

    silent, loud = np.zeros(801, np.float32), given.tone(641, 997.0, 3.0)
    quiet = [1, audio_clip(t, "samples", silent), 1, audio_clip(t, "samples", loud)]
    hissing = [2, audio_clip(t, "samples", given.hiss(f"{t.name}/hiss", 1601)), 1]
    ringing = [1, audio_clip(t, "samples", given.tone(8000)), 1]
    cases = {
        "full": (frames(62), media(*FULL) + MERGE),
        "one-token": (frames(2), media(r"audio\.subsample\..*", *AUDIO, *ENDS)),
        "padded": (frames(15, 6), media(r"audio\.subsample\.1\..*", *AUDIO, *ENDS)),
        "25-tokens": (frames(98), media(*AUDIO, *ENDS)),
        "quiet-loud": (quiet, media(*SPECTRUM, *ENDS)),
        "noise": (hissing, media(*SPECTRUM, *AUDIO, *ENDS)),
        "tone": (ringing, media(r"audio\.mel.*", *AUDIO, *ENDS)),
    }
    return {k: case(t, "audio-" + k, parts, keep) for k, (parts, keep) in cases.items()}


def unified_cases(t: Topology) -> dict[str, Case]:
    values = given.patches(f"{t.name}/3x2", 6, t.unified.pixels)
    nearly = 200 + (np.arange(t.unified.pixels) % 97 == 0)
    values[1] = nearly / 255  # flat: epsilon shows
    two = cut_image(values[:2], given.grid(1, 2), True)
    six = cut_image(values, given.grid(3, 2), True)
    padded = patches(t, "2x1", 2, 1, padding=2)
    rows = given.hiss(f"{t.name}/rows", 2 * 640).reshape(2, 640)
    rows[1] /= 1024  # quiet
    parts = [1, Item("audio", "rows", {"rows": rows}, 2), 1]
    parts += [audio_clip(t, "samples", given.hiss(f"{t.name}/hiss", 1500)), 1]
    parts += [audio_clip(t, "samples", np.zeros(640, np.float32))]
    every = media(r"unified\..*", *ENDS) + MERGE
    small = media(r"unified\.vision\.(dense|ln2|pos_add|ln3)", *ENDS) + MERGE
    return {
        "vision": case(t, "vision-full", [1, two, 1], every),
        "vision-two": case(t, "vision-two", [1, six, padded, 1], small),
        "audio": case(t, "audio-full", parts, every),
    }


# -- preprocessing ---------------------------------------------------------------------------------


def image_of(name: str, size: tuple[int, int], budget: int = 70) -> Item:
    """A file of golden/media, upright of that height and width."""
    rows = soft_tokens(*size, budget)
    return Item("image", "file", {"file": given.file_bytes(name)}, rows, {"budget": budget})


def pixels(rgb: np.ndarray, budget: int = 70, kind: str = "image") -> Item:
    rows = soft_tokens(*rgb.shape[:2], budget)
    return Item(kind, "rgb", {"rgb": rgb}, rows, {"budget": budget})


def pixel_cases(t: Topology) -> dict[str, Case]:
    board, tall = content.checkerboard(30, 40, 3), content.gradient(200, 9)
    wide, exact = content.gradient(3, 900), content.checkerboard(336, 432, 7)
    parts = {
        "board": [1, pixels(board), 1],
        "board-tall": [1, pixels(board), 1, pixels(tall)],
        "wide-dot": [1, pixels(wide), 1, image_of("one-pixel.png", (1, 1))],
        "alpha-exact": [1, image_of("alpha.png", (48, 64)), 1, pixels(exact)],
        "budget-140": [1, pixels(content.gradient(20, 30), 140), 1],
        "rounding": [1, pixels(content.gradient(55, 154)), 1],  # exact or fp32: 240 x 672
        "turned": [1, image_of("photo-orientation-6.jpg", (128, 96)), 1],
        "smaller": [1, pixels(content.checkerboard(400, 560, 7)), 1],
    }
    keep = media(*PIXELS, r"vision\.embed\.out")
    special = {  # patches are small when packed where an image has few colours
        "turned": media(r"image\.(rgb|target_size)", r"vision\.embed\.out"),
        "rounding": media(*SIZES),
        "alpha-exact": (*keep, r"media\.1\.image\.patches"),
    }
    return {
        name: case(t, "pixels-" + name, part, special.get(name, keep))
        for name, part in parts.items()
    }


# -- whole prompts, from files to logits -----------------------------------------------------------


def png(number: int) -> Item:
    rgb = given.strip(number)
    return replace(pixels(rgb), form="file", arrays={"file": given.png_bytes(rgb)})


def film(name: str, count: int) -> Item:
    frames, fps = given.film_of(name)
    facts = {"budget": 70, "num_frames": count, "fps": fps}
    arrays = {"file": given.file_bytes(name), "frames": frames}
    return Item("video", "file", arrays, soft_tokens(*frames.shape[1:3], 70), facts)


def whole_cases(t: Topology, sight: Item, hearing: str, frames: int) -> dict[str, Case]:
    first = [pixels(given.strip(k), kind="frame") for k in (2, 1)]
    parts = {
        "image-text": [3, sight, 6],
        "two-images": [2, png(0), 0, png(1), 4],
        "video": [2, film("moving-silent.mkv", frames), 5],
        "frames": [4, first[0], 2, first[1], 4],
    }
    if hearing:
        heard = audio_clip(t, "file", given.audio_of(hearing), given.file_bytes(hearing))
        short = audio_clip(t, "samples", given.hiss(f"{t.name}/short", 4810))
        parts["audio-text"] = [3, heard, 6]
        parts["interleaved"] = [2, short, 3, png(2), 0, short, 3]
    keep = media(*SIZES) + whole(t)
    more = {"image-text": media(*ENDS) + (r"text\.ple\.in",), "audio-text": media(*ENDS)}
    more["interleaved"] = media(*ENDS)
    return {name: case(t, name, part, keep + more.get(name, ())) for name, part in parts.items()}


def all_whole_cases() -> list[Case]:
    photo, words = image_of("photo.png", (96, 128)), image_of("text-tall.png", (144, 48))
    turned = image_of("photo-orientation-6.jpg", (128, 96))
    board = image_of("checkerboard-wide.png", (64, 160))
    made = [
        whole_cases(E2B_MEDIA, photo, "speech.wav", 4),
        whole_cases(E4B_MEDIA, turned, "chirp.flac", 2),
        whole_cases(B26_MEDIA, words, "", 2),
        whole_cases(B31_MEDIA, board, "", 2),
        whole_cases(B12_MEDIA, photo, "noise-float.wav", 2),
    ]
    every = [case_ for cases in made for case_ in cases.values()]
    # for most of them the video shows what frames show
    return [c for c in every if c.name != "frames" or c.checkpoint == E2B_MEDIA.name]


# -- switches --------------------------------------------------------------------------------------


def switch_cases() -> list[Case]:
    t, cases = E2B_MEDIA, []

    def frames(count: int) -> list:
        return [1, log_mel(given.mel(f"{t.name}/switch-{count}", count)), 1]

    def heard(left: int = 160) -> list:
        wave = np.concatenate([given.tone(900), given.hiss(f"{t.name}/switch", 701, 0.03)])
        return [1, audio_clip(t, "samples", wave, left=left), 1]

    rows = tuple(r"text\.(embed|logits)".split())
    spectrum = media(*SPECTRUM, *ENDS) + rows
    cases = [
        case(t, "switch-13-keys", frames(62), media(*AUDIO, *ENDS) + rows, "audio.window_keys=13"),
        case(t, "switch-embed-order", frames(13), media(r"audio\.(tower_out|embed\.out)") + rows,
             "audio.embed_order=proj_norm"),
        case(t, "switch-hann", heard(), spectrum, "audio.hann=half_sample"),
        case(t, "switch-left-pad", heard(0), spectrum, "audio.left_pad=0"),
        case(t, "switch-log-floor", heard(), spectrum, "audio.log_floor=max"),
        case(t, "switch-resample", [1, pixels(given.strip(1)), 1],
             media(*SIZES, *ENDS, r"vision\.patch_embed") + rows, "image.resample=float"),
        case(t, "switch-pad-mask", [1, patches(t, "6x3", 6, 3, padding=9), 1],
             media(*VISION, *ENDS, r"vision\.layer\.0\.attn\.probs") + rows,
             "vision.pad_mask=additive_bool"),
    ]  # fmt: skip
    for form in ("sliding_past_clamped", "sliding_unclamped", "all_layers"):
        for big in (B31_MEDIA, B12_MEDIA) if form == "all_layers" else (B31_MEDIA,):
            parts = [2, pixels(given.strip(0)), 3]
            name = "switch-" + form.replace("_", "-")
            cases.append(case(big, name, parts, whole(big), f"text.vision_mask={form}"))
    return cases


# -- closed form, and true width -------------------------------------------------------------------


def miniature_cases() -> list[Case]:
    """The inputs of spec multimodal, Appendix A."""
    image = cut_image(miniatures.pixels(6, 3), given.grid(6, 3))
    merged = cut_image(miniatures.merged_patches(), given.grid(3, 2), True)
    heard = audio_clip(miniatures.UNIFIED, "samples", miniatures.samples())
    most = media(*FULL) + MERGE
    return [
        case(miniatures.VISION, "vision", [1, image, 1], most),
        case(miniatures.AUDIO, "audio", [1, log_mel(miniatures.mel()), 1], most),
        case(miniatures.UNIFIED, "embedders", [1, merged, 1, heard, 1],
             media(r"unified\.(vision\.(dense|ln2|pos_add|ln3)|audio\.frames)", *ENDS) + MERGE),
    ]  # fmt: skip


def wide_cases() -> list[Case]:
    seen = media(r"vision\.layer\.0\.(attn\.(q_rope|probs|context)|out)", *ENDS)
    heard = media(r"audio\.(layer\.0\.(attn\.(probs|context)|out)|embed\.out)")
    logits, speech = (r"text\.logits",), log_mel(given.mel("wide", 50))
    return [
        case(t, "one-layer", [2, patches(t, "3x3", 3, 3), 2], seen + logits)
        for t in (synthetic.E2B_VISION, synthetic.B26_VISION)
    ] + [case(synthetic.E2B_AUDIO, "one-layer", [2, speech, 2], heard + logits)]


CHOSEN = (
    (vision_cases, E2B_MEDIA, "full padded two"),
    (vision_cases, E4B_MEDIA, "full"),
    (vision_cases, B26_MEDIA, "full padded"),
    (vision_cases, B31_MEDIA, "full"),
    (audio_cases, E2B_MEDIA, "full one-token padded quiet-loud noise"),
    (audio_cases, E4B_MEDIA, "25-tokens tone"),
    (unified_cases, B12_MEDIA, "vision vision-two audio"),
    (pixel_cases, E2B_MEDIA, "board-tall wide-dot turned"),
    (pixel_cases, B26_MEDIA, "alpha-exact"),
    (pixel_cases, B31_MEDIA, "smaller budget-140"),
    (pixel_cases, B12_MEDIA, "board rounding"),
)


def all_media_cases() -> list[Case]:
    cases: list[Case] = []
    for make, t, names in CHOSEN:
        made = make(t)
        cases += [made[name] for name in names.split()]
    return cases + all_whole_cases() + switch_cases() + miniature_cases() + wide_cases()
