# SPDX-License-Identifier: Apache-2.0
"""Seeds of the fuzz targets, made from the files of the repository; none of them is committed.

`@name` in conformance/fuzz/targets.txt is the function of that name here: it gives the bytes of
each seed, and `fuzz_seeds.py NAME FOLDER` writes them. Small seeds mutate well, so large files are cut to a few tensors, tokens or samples.
"""

import io
import json
import lzma
import math
import random
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "golden"
CHECKPOINT = GOLDEN / "checkpoints/e2b-tiny/model.safetensors"


def some_tensors(count: int, most: int) -> dict[str, tuple[str, list[int], bytes]]:
    """The first small tensors of a checkpoint: name to dtype, shape, bytes."""
    data = CHECKPOINT.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    found = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__" or len(found) == count:
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        if end - begin <= most:
            found[name] = (entry["dtype"], entry["shape"], data[begin:end])
    return found


def safetensors() -> Iterator[bytes]:
    for count in (1, 3, 6):
        header, body = {}, b""
        for name, (dtype, shape, data) in some_tensors(count, 256).items():
            offsets = [len(body), len(body) + len(data)]
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
            body += data
        text = json.dumps(header).encode()
        yield struct.pack("<Q", len(text)) + text + body


def index() -> Iterator[bytes]:
    for weights in ({"a": "a.safetensors", "b": "b.safetensors"}, {"a": "b.safetensors"}, {}):
        yield json.dumps({"metadata": {"total_size": 8}, "weight_map": weights}).encode()


def gguf_string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf_key(name: str, kind: int, value: bytes) -> bytes:
    return gguf_string(name) + struct.pack("<I", kind) + value


def gguf_strings(name: str, texts: list[str]) -> bytes:
    values = b"".join(map(gguf_string, texts))
    return gguf_key(name, 9, struct.pack("<IQ", 8, len(texts)) + values)


def gguf_file(keys: list[bytes], tensors: list[tuple[str, int, int, int]]) -> bytes:
    """Tensors are name, elements, type of ggml, bytes."""
    head, offset = b"", 0
    for name, elements, kind, size in tensors:
        head += gguf_string(name) + struct.pack("<IQIQ", 1, elements, kind, offset)
        offset += (size + 31) // 32 * 32
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys) + head
    return head + bytes(-len(head) % 32) + random.Random(1).randbytes(offset)


def gguf() -> Iterator[bytes]:
    keys = [
        gguf_key("general.architecture", 8, gguf_string("gemma4")),
        gguf_key("general.alignment", 4, struct.pack("<I", 32)),
        gguf_key("gemma4.block_count", 10, struct.pack("<Q", 2)),
        gguf_key("gemma4.rope.freq_base", 6, struct.pack("<f", 10000)),
        gguf_key("gemma4.attention.sliding_window_pattern", 9, struct.pack("<IQ2B", 7, 2, 1, 0)),
    ]
    blocks = {0: 4, 1: 2, 30: 2}  # F32, F16, BF16
    plain = [(f"t{kind}", 8, kind, 8 * size) for kind, size in blocks.items()]
    yield gguf_file(keys, plain)
    # Elements and bytes of a block: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K, IQ4_NL, MXFP4.
    sizes = {2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 12: (256, 144)}
    sizes |= {13: (256, 176), 14: (256, 210), 20: (32, 18), 39: (32, 17)}
    for kind, (elements, size) in sizes.items():
        yield gguf_file(keys[:2], [("token_embd.weight", 2 * elements, kind, 2 * size)])


def gguf_numbers(kind: int, values: list) -> bytes:
    return struct.pack("<" + {4: "I", 5: "i", 6: "f"}[kind] * len(values), *values)


def gguf_value(key: str, value: object) -> bytes:
    if isinstance(value, str):
        return gguf_key(key, 8, gguf_string(value))
    if isinstance(value, list):
        return gguf_key(key, 9, struct.pack("<IQ", 4, len(value)) + gguf_numbers(4, value))
    kind = 6 if isinstance(value, float) else 4
    return gguf_key(key, kind, gguf_numbers(kind, [value]))


TEXT_KEYS = {
    "block_count": 2, "context_length": 64, "embedding_length": 4, "feed_forward_length": 6,
    "attention.head_count": 2, "attention.head_count_kv": 1, "attention.key_length": 4,
    "attention.key_length_swa": 2, "attention.sliding_window": 8,
    "attention.sliding_window_pattern": [1, 0], "attention.layer_norm_rms_epsilon": 1e-6,
    "rope.freq_base": 1e6,
}  # fmt: skip
EXPERT_KEYS = {"expert_count": 2, "expert_used_count": 1, "expert_feed_forward_length": 3}
PER_LAYER_KEYS = {"embedding_length_per_layer_input": 2}


def gguf_layer(block: str, width: int, experts: bool, per_layer: bool) -> dict[str, list[int]]:
    """Shapes by name, the fastest axis first; `width` is that of a head."""
    shapes = {f"{norm}.weight": [4] for norm in
              ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")}  # fmt: skip
    shapes |= {"attn_q.weight": [4, 2 * width], "attn_output.weight": [2 * width, 4]}
    shapes |= {f"attn_{part}.weight": [4, width] for part in "kv"}
    shapes |= {f"attn_{part}_norm.weight": [width] for part in "qk"}
    shapes |= {"ffn_gate.weight": [4, 6], "ffn_up.weight": [4, 6], "ffn_down.weight": [6, 4]}
    shapes["layer_output_scale.weight"] = [1]
    if experts:
        shapes |= {"ffn_gate_inp.weight": [4, 2], "ffn_gate_inp.scale": [4]}
        shapes |= {"ffn_gate_up_exps.weight": [4, 6, 2], "ffn_down_exps.weight": [3, 4, 2]}
        shapes |= {"ffn_down_exps.scale": [2]}
        norms = ("post_ffw_norm_1", "pre_ffw_norm_2", "post_ffw_norm_2")
        shapes |= {f"{norm}.weight": [4] for norm in norms}
    if per_layer:
        shapes |= {"inp_gate.weight": [4, 2], "proj.weight": [2, 4], "post_norm.weight": [4]}
    return {f"{block}{name}": shape for name, shape in shapes.items()}


def gguf_model(experts: bool, per_layer: bool) -> bytes:
    """Two layers of width 4 in F32, as test_gguf_model.h has them."""
    values = TEXT_KEYS | (EXPERT_KEYS if experts else {}) | (PER_LAYER_KEYS if per_layer else {})
    keys = [gguf_value("general.architecture", "gemma4")]
    keys += [gguf_value(f"gemma4.{key}", value) for key, value in values.items()]
    shapes = {"token_embd.weight": [4, 10], "output_norm.weight": [4], "rope_freqs.weight": [2]}
    if per_layer:
        shapes |= {"per_layer_token_embd.weight": [4, 10], "per_layer_proj_norm.weight": [2]}
        shapes |= {"per_layer_model_proj.weight": [4, 4]}
    shapes |= gguf_layer("blk.0.", 2, experts, per_layer)
    shapes |= gguf_layer("blk.1.", 4, experts, per_layer)
    head, body = b"", b""
    for name, shape in shapes.items():
        head += gguf_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(body))
        count = math.prod(shape)
        numbers = [1.0, 1e30] if name == "rope_freqs.weight" else [k / 8 for k in range(count)]
        body += gguf_numbers(6, numbers)
        body += bytes(-len(body) % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(keys)) + b"".join(keys) + head
    return head + bytes(-len(head) % 32) + body


def gguf_checkpoint() -> Iterator[bytes]:
    yield gguf_model(False, False)
    yield gguf_model(True, False)
    yield gguf_model(False, True)


def small_model() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Of the committed vocabulary what a short text takes: tokens with new ids, and merges."""
    model = json.loads((GOLDEN / "tokenizer/tokenizer.json").read_text())["model"]
    kept = r"<\|?(pad|bos|eos|unk|turn|channel|tool_call|image|\")\|?>|<0x(0A|41|FF)>"
    names = [
        token
        for token in sorted(model["vocab"], key=model["vocab"].get)
        if re.fullmatch(kept + r"|\n{1,3}|▁{1,3}|▁?[abcer]{1,3}|é", token)
    ]
    pairs = [m.split(" ") if isinstance(m, str) else m for m in model["merges"]]
    merges = [(a, b) for a, b in pairs if {a, b, a + b} <= set(names)]
    return {token: number for number, token in enumerate(names)}, merges


def tokens() -> list[str]:
    return list(small_model()[0])


def gguf_tokenizer() -> Iterator[bytes]:
    merges = [" ".join(pair) for pair in small_model()[1]]
    model = gguf_key("tokenizer.ggml.model", 8, gguf_string("gemma4"))
    names = gguf_strings("tokenizer.ggml.tokens", tokens())
    yield gguf_file([model, names, gguf_strings("tokenizer.ggml.merges", merges)], [])
    yield gguf_file([model, names], [])


def tokenizer_json() -> Iterator[bytes]:
    whole = json.loads((GOLDEN / "tokenizer/tokenizer.json").read_text())
    ids, merges = small_model()
    whole["model"] |= {"vocab": ids, "merges": merges}
    added = [entry for entry in whole["added_tokens"] if entry["content"] in ids]
    whole["added_tokens"] = [entry | {"id": ids[entry["content"]]} for entry in added]
    yield json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def token_list() -> Iterator[bytes]:
    text = "\0".join(tokens()).encode()
    yield text
    # The dictionary of a preset takes 8 MB at each input.
    yield lzma.compress(text, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 4096}])


def renderings() -> Iterator[dict]:
    for line in (GOLDEN / "prompting/renderings.jsonl").read_text().splitlines():
        yield json.loads(line)


def answer() -> Iterator[bytes]:
    """Turns of the model, after the byte that chooses the options."""
    turns = set()
    for case in renderings():
        turns |= set(re.findall(r"<\|turn>model\n(.*?)(?:<turn\|>|$)", case["small"], re.DOTALL))
    for text in sorted(turns):
        for options in (0, 1, 2, 4):
            yield bytes([options]) + text.encode()


def choices() -> Iterator[bytes]:
    draw = random.Random(2)
    for _ in range(64):
        yield draw.randbytes(draw.randrange(8, 160))


def chat_case() -> Iterator[bytes]:
    for case in renderings():
        yield json.dumps(case["input"]).encode()


def wav() -> Iterator[bytes]:
    """A header and the first samples."""
    for path in sorted((GOLDEN / "media").glob("*.wav")):
        data = path.read_bytes()
        samples = data[44 : 44 + 480]
        if data[36:40] == b"data":
            length = struct.pack("<I", len(samples))
            yield data[:4] + struct.pack("<I", 36 + len(samples)) + data[8:40] + length + samples


def riff(kind: bytes, body: bytes, form: bytes = b"") -> bytes:
    body = form + body
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def avi() -> Iterator[bytes]:
    """Two frames of 8 x 8 pixels, stored as they are."""
    side, frames = 8, 2
    size = 3 * side * side
    head = struct.pack("<14I", 40000, 0, 0, 16, frames, 0, 1, size, side, side, 0, 0, 0, 0)
    times = struct.pack("<IHHIIIIIIII4H", 0, 0, 0, 0, 1, 25, 0, frames, size, 0, 0, 0, 0, side, side)
    stream = riff(b"strh", b"vids" + b"DIB " + times)
    pixels = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, size, 0, 0, 0, 0)
    strl = riff(b"LIST", stream + riff(b"strf", pixels), b"strl")
    data = b"".join(riff(b"00db", random.Random(k).randbytes(size)) for k in range(frames))
    hdrl = riff(b"LIST", riff(b"avih", head) + strl, b"hdrl")
    yield riff(b"RIFF", hdrl + riff(b"LIST", data, b"movi"), b"AVI ")


def hdf5() -> Iterator[bytes]:
    """A golden and a dump of a few datasets, where h5py is at hand."""
    try:
        import h5py
    except ImportError:
        return
    with h5py.File(GOLDEN / "cases/e2b-tiny/text-short.h5") as golden:
        for with_inputs in (True, False):
            buffer = io.BytesIO()
            with h5py.File(buffer, "w") as file:
                for name, value in golden.attrs.items():
                    file.attrs[name] = value
                if with_inputs:
                    golden.copy("inputs", file)
                for tap in ("text.ids", "text.embed", "text.layer.0.attn.q_norm"):
                    if f"taps/{tap}" in golden:
                        golden.copy(f"taps/{tap}", file.require_group("taps"))
            yield buffer.getvalue()


if __name__ == "__main__":
    for number, content in enumerate(globals()[sys.argv[1]]()):
        (Path(sys.argv[2]) / f"{number:03}").write_bytes(content)
