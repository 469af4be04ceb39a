# SPDX-License-Identifier: Apache-2.0
"""The tiny checkpoints as data: one Topology each, and the config.json it becomes.

Every width differs from every other where the family allows it, head sizes are not powers of two,
special ids lie inside the small vocabulary, and every key is written out (spec text 8).
"""

from dataclasses import dataclass, field

import encoders
from encoders import Audio, Unified, Vision

KINDS = {"S": "sliding_attention", "F": "full_attention"}


@dataclass
class Topology:
    name: str
    model_type: str  # of the whole checkpoint
    dtype: str  # BF16, F16, F32
    layers: str  # e.g. "SSSFSSF"
    vocab: int
    width: int
    ffn: int
    heads: int
    kv_heads: tuple[int, int]  # sliding, full
    head_dim: tuple[int, int]  # sliding, full
    window: int
    rotated: float = 0.25
    ple: int = 0
    shared: int = 0
    double_wide: bool = False
    k_eq_v: bool = False
    vision: bool = False
    moe: tuple[int, int, int] | None = None  # experts, active, width
    shards: int = 1
    junk: bool = False  # stored but unused keys and values of shared layers
    cancel: float = 0.0  # relative difference of paired FFN channels that nearly cancel
    softcap: float | None = 30.0
    vision_encoder: Vision | None = None
    audio_encoder: Audio | None = None
    unified: Unified | None = None
    released_ids: bool = False  # placeholders outside the vocabulary, no begin and end tokens

    @property
    def has_media(self) -> bool:
        return bool(self.vision_encoder or self.audio_encoder or self.unified)

    @property
    def text_type(self) -> str:
        if self.model_type.endswith("_text"):
            return self.model_type
        return "gemma4_unified_text" if "unified" in self.model_type else "gemma4_text"

    @property
    def prefix(self) -> str:
        return "model." if self.model_type.endswith("_text") else "model.language_model."

    @property
    def first_shared(self) -> int:
        return len(self.layers) - self.shared

    def kv_source(self, layer: int) -> int:
        if layer < self.first_shared:
            return layer
        return self.layers[: self.first_shared].rindex(self.layers[layer])


@dataclass
class Drafter:
    target: Topology
    width: int
    ffn: int
    heads: int
    dtype: str
    centroids: tuple[int, int] | None = None  # number, active
    layers: str = "SSSF"
    name: str = field(init=False)

    def __post_init__(self):
        self.name = self.target.name + "-drafter"


E2B = Topology(
    "e2b-tiny", "gemma4", "BF16", "SSSFSSF", 64, 36, 40, 4, (1, 1), (12, 24), 4,
    ple=16, shared=3, double_wide=True,
)  # fmt: skip
E4B = Topology(
    "e4b-tiny", "gemma4", "F32", "SSFSFSF", 64, 32, 56, 4, (2, 2), (12, 40), 5,
    ple=24, shared=2, shards=3, junk=True,
)  # fmt: skip
B12 = Topology(
    "12b-tiny", "gemma4_unified", "BF16", "SSSSSF", 96, 40, 56, 6, (3, 1), (12, 24), 5,
    k_eq_v=True, vision=True,
)  # fmt: skip
B26 = Topology(
    "26b-tiny", "gemma4", "F32", "SSFSSF", 64, 32, 44, 8, (4, 2), (12, 16), 4,
    k_eq_v=True, vision=True, moe=(8, 3, 20),
)  # fmt: skip
B31 = Topology(
    "31b-tiny", "gemma4", "BF16", "SSFSSSF", 64, 44, 52, 4, (4, 2), (20, 24), 4, rotated=0.5,
    k_eq_v=True, vision=True,
)  # fmt: skip
SHARING = Topology(
    "e2b-sharing", "gemma4_text", "F16", "SFSSSFF", 64, 28, 36, 4, (2, 2), (12, 20), 4, rotated=0.4,
    ple=20, shared=3, double_wide=True,
)  # fmt: skip
ILL = Topology(
    "31b-illconditioned", "gemma4_text", "F32", "SSFSSF", 64, 28, 36, 4, (2, 1), (12, 24), 4,
    k_eq_v=True, vision=True, cancel=1e-3,
)  # fmt: skip

E2B_MEDIA = Topology(
    "e2b-media-tiny", "gemma4", "BF16", "SSFSF", 96, 28, 32, 2, (1, 1), (12, 20), 5,
    ple=12, shared=2, double_wide=True,
    vision_encoder=Vision(24, 2, 12, 40, 2, 224, clips=True, fused=True),
    audio_encoder=Audio(24, 2, 2, 36),
)  # fmt: skip
E4B_MEDIA = Topology(
    "e4b-media-tiny", "gemma4", "BF16", "SFSF", 96, 36, 40, 4, (2, 2), (12, 16), 6,
    ple=8, shared=2,
    vision_encoder=Vision(40, 2, 20, 44, 2, 240, clips=True),
    audio_encoder=Audio(32, 4, 3, 20),
)  # fmt: skip
B26_MEDIA = Topology(
    "26b-media-tiny", "gemma4", "BF16", "SSF", 96, 32, 44, 4, (2, 1), (12, 20), 24,
    k_eq_v=True, vision=True, moe=(8, 3, 20),
    vision_encoder=Vision(48, 4, 12, 56, 2, 432, standardize=True),
)  # fmt: skip
B31_MEDIA = Topology(
    "31b-media-tiny", "gemma4", "BF16", "SFSF", 96, 44, 36, 4, (4, 2), (12, 24), 16, rotated=0.5,
    k_eq_v=True, vision=True,
    vision_encoder=Vision(40, 2, 20, 60, 3, 240, standardize=True),
)  # fmt: skip
B12_MEDIA = Topology(
    "12b-media-tiny", "gemma4_unified", "BF16", "SSF", 96, 24, 40, 4, (2, 1), (12, 16), 12,
    k_eq_v=True, vision=True, unified=Unified(160),
)  # fmt: skip

TEXT_TARGETS = (E2B, E4B, B12, B26, B31, SHARING, ILL)
MEDIA_TARGETS = (E2B_MEDIA, E4B_MEDIA, B26_MEDIA, B31_MEDIA, B12_MEDIA)
TARGETS = {t.name: t for t in (*TEXT_TARGETS, *MEDIA_TARGETS)}
DRAFTERS = {
    d.name: d
    for d in (
        Drafter(E2B, 20, 28, 2, "BF16", (16, 3)),
        Drafter(E4B, 28, 36, 4, "F32", (8, 2)),
        Drafter(B12, 28, 44, 6, "BF16"),
        Drafter(B26, 20, 36, 8, "F32"),
        Drafter(B31, 28, 40, 4, "BF16"),
    )
}


RELEASED_IDS = {
    "boi": 255999, "image": 258880, "eoi": 258882, "boa": 256000, "audio": 258881, "eoa": 258883,
    "video": 258884,
}  # fmt: skip


def special_ids(vocab: int) -> dict[str, int]:
    """Inside the vocabulary, away from both of its ends."""
    base = vocab - 16
    names = ["boi", "image", "eoi", "boa", "audio", "eoa", "video"]
    return {name: base + i for i, name in enumerate(names)}


def rope_parameters(rotated: float) -> dict:
    return {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        "full_attention": {
            "rope_type": "proportional",
            "rope_theta": 1000000.0,
            "partial_rotary_factor": rotated,
        },
    }


def text_config(t: Topology) -> dict:
    experts, active, expert_width = t.moe or (None, None, None)
    config = {
        "model_type": t.text_type,
        "vocab_size": t.vocab,
        "hidden_size": t.width,
        "intermediate_size": t.ffn,
        "num_hidden_layers": len(t.layers),
        "num_attention_heads": t.heads,
        "num_key_value_heads": t.kv_heads[0],
        "num_global_key_value_heads": t.kv_heads[1] if t.k_eq_v else None,
        "head_dim": t.head_dim[0],
        "global_head_dim": t.head_dim[1],
        "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 4096,
        "initializer_range": 0.02,
        "rms_norm_eps": 1e-06,
        "use_cache": True,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "bos_token_id": 2,
        "tie_word_embeddings": True,
        "rope_parameters": rope_parameters(t.rotated),
        "attention_bias": False,
        "attention_dropout": 0.0,
        "sliding_window": t.window,
        "layer_types": [KINDS[kind] for kind in t.layers],
        "final_logit_softcapping": t.softcap,
        "use_bidirectional_attention": "vision" if t.vision else None,
        "attention_k_eq_v": t.k_eq_v,
        "num_kv_shared_layers": t.shared,
        "use_double_wide_mlp": t.double_wide,
    }
    if t.text_type == "gemma4_text":
        config |= {
            "vocab_size_per_layer_input": t.vocab if t.ple else 0,
            "hidden_size_per_layer_input": t.ple,
            "enable_moe_block": t.moe is not None,
            "num_experts": experts,
            "top_k_experts": active,
            "moe_intermediate_size": expert_width,
        }
    return config | {"dtype": torch_dtype(t.dtype)}


def torch_dtype(dtype: str) -> str:
    return {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}[dtype]


ARCHITECTURES = {
    "gemma4": "Gemma4ForConditionalGeneration",
    "gemma4_text": "Gemma4ForCausalLM",
    "gemma4_unified": "Gemma4UnifiedForConditionalGeneration",
    "gemma4_assistant": "Gemma4AssistantForCausalLM",
    "gemma4_unified_assistant": "Gemma4UnifiedAssistantForCausalLM",
}


def encoder_configs(t: Topology) -> tuple[dict | None, dict | None]:
    """vision_config and audio_config."""
    dtype = torch_dtype(t.dtype)
    if t.unified:
        return encoders.unified_configs(t.unified, t.width, dtype)
    vision = encoders.vision_config(t.vision_encoder, dtype) if t.vision_encoder else None
    audio = encoders.audio_config(t.audio_encoder, dtype) if t.audio_encoder else None
    return vision, audio


def config_json(t: Topology) -> dict:
    text = text_config(t)
    vision, audio = encoder_configs(t)
    head = {"architectures": [ARCHITECTURES[t.model_type]], "model_type": t.model_type}
    tail = {"transformers_version": "5.22.2"}
    if t.model_type.endswith("_text"):
        return head | {k: v for k, v in text.items() if k != "model_type"} | tail
    ids = RELEASED_IDS if t.released_ids else special_ids(t.vocab)
    return (
        head
        | {
            "text_config": text,
            "vision_config": vision,
            "audio_config": audio,
            "boi_token_id": ids["boi"],
            "eoi_token_id": ids["eoi"],
            "image_token_id": ids["image"],
            "video_token_id": ids["video"],
            "boa_token_id": ids["boa"],
            "eoa_token_index": ids["eoa"],
            "eoa_token_id": ids["eoa"],
            "audio_token_id": ids["audio"],
            "initializer_range": 0.02,
            "tie_word_embeddings": True,
            "dtype": torch_dtype(t.dtype),
        }
        | tail
    )


def drafter_text_topology(d: Drafter) -> Topology:
    t = d.target
    return Topology(
        d.name, t.model_type, d.dtype, d.layers, t.vocab, d.width, d.ffn, d.heads, t.kv_heads,
        t.head_dim, t.window, rotated=t.rotated, shared=len(d.layers), k_eq_v=t.k_eq_v,
        vision=t.vision, softcap=None,
    )  # fmt: skip


def drafter_config_json(d: Drafter) -> dict:
    model_type = d.target.model_type + "_assistant"
    number, active = d.centroids or (2048, 32)
    return {
        "architectures": [ARCHITECTURES[model_type]],
        "model_type": model_type,
        "text_config": text_config(drafter_text_topology(d)),
        "backbone_hidden_size": d.target.width,
        "use_ordered_embeddings": d.centroids is not None,
        "num_centroids": number,
        "centroid_intermediate_top_k": active,
        "tie_word_embeddings": True,
        "dtype": torch_dtype(d.dtype),
        "transformers_version": "5.22.2",
    }
