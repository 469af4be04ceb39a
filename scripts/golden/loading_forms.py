# SPDX-License-Identifier: Apache-2.0
"""Forms in which people store a checkpoint: small changes to one of golden/checkpoints, as data.

Each form is a list of steps, which make_loading_forms.py and reference/model/loading_forms_test.cc
apply alike:

    ["rename", from, to]            names that begin with `from`
    ["drop", name]                  names that begin with `name`
    ["copy", name, to]              one tensor more
    ["flip", name]                  the lowest bit of the tensor's first byte
    ["fill", name, dtype, shape]    one tensor more, all zeros
    ["cast", part, dtype]           names that contain `part`, rounded to nearest even
    ["shape", part, shape]          the same bytes under another shape
    ["set", path, value]            a key of config.json
    ["unset", path]
    ["shards", count]               tensor i, in name order, in file i mod count, with an index
    ["unlist", name], ["list", name, shard], ["twice", name, shard]
                                    the index without it; with it; the tensor in a second file, too
    ["spoil", name, shard]          as "twice", with its lowest bit flipped
    ["call", file]                  the one file under another name, which config.json gives
"""

LANGUAGE = "model.language_model."
TABLE = LANGUAGE + "embed_tokens.weight"
NORM = LANGUAGE + "norm.weight"
LAYER = LANGUAGE + "layers."
HEAD = "lm_head.weight"
PATCHES = "model.vision_embedder."
NESTED = "model.embed_vision."
PROJECTION = NESTED + "embedding_projection."
TIED = "tie_word_embeddings"


def names() -> list[tuple[str, str, list]]:
    """Where tensors are called otherwise."""
    return [
        ("released", "e2b-tiny", []),
        ("released", "26b-tiny", []),
        ("released", "e4b-tiny", []),
        ("released", "e2b-media-tiny", []),
        ("released", "31b-media-tiny", []),
        ("released", "12b-media-tiny", []),
        ("released", "e2b-tiny-drafter", []),
        ("released", "12b-tiny-drafter", []),
        ("released", "e2b-sharing", []),
        ("base-model", "e2b-tiny", [["rename", "model.", ""]]),
        ("base-model", "26b-tiny", [["rename", "model.", ""]]),
        ("base-model", "e2b-media-tiny", [["rename", "model.", ""]]),
        ("base-model", "12b-media-tiny", [["rename", "model.", ""]]),
        ("base-model", "e2b-sharing", [["rename", "model.", ""]]),
        ("base-model-drafter", "e2b-tiny-drafter", [["rename", "model.", ""]]),
        ("model-twice", "e2b-tiny", [["rename", "model.", "model.model."]]),
        ("model-twice", "e2b-sharing", [["rename", "model.", "model.model."]]),
        ("drafter-under-model", "e2b-tiny-drafter", [["rename", "p", "model.p"]]),
        ("gemma3-order", "e2b-tiny", [["rename", LANGUAGE, "language_model.model."]]),
        ("gemma3-order", "e2b-media-tiny", [["rename", LANGUAGE, "language_model.model."]]),
        ("text-names", "e2b-tiny", [["rename", LANGUAGE, "model."]]),
        ("text-names", "12b-tiny", [["rename", LANGUAGE, "model."]]),
        ("bare-names", "e2b-tiny", [["rename", LANGUAGE, ""]]),
        ("language-names", "e2b-sharing", [["rename", "model.", LANGUAGE]]),
        ("wrapped", "e2b-tiny", [["rename", "model.", "module.model."]]),
        ("one-bare", "e2b-tiny", [["rename", NORM, NORM.removeprefix("model.")]]),
        ("one-text-name", "e2b-tiny", [["rename", NORM, "model.norm.weight"]]),
        ("both-prefixes-equal", "e2b-tiny", [["copy", NORM, "language_model.norm.weight"]]),
        (
            "both-prefixes-differ",
            "e2b-tiny",
            [
                ["copy", NORM, "language_model.norm.weight"],
                ["flip", "language_model.norm.weight"],
            ],
        ),
    ]


def embedder_names() -> list[tuple[str, str, list]]:
    """The embedder of the 12B, which has two names."""
    nested = [
        ["rename", PROJECTION, NESTED + "multimodal_embedder.embedding_projection."],
        ["rename", PATCHES, NESTED],
    ]
    return [
        ("nested-12b", "12b-media-tiny", nested),
        ("nested-12b-base", "12b-media-tiny", [*nested, ["rename", "model.", ""]]),
        ("half-nested-patches", "12b-media-tiny", nested[1:]),
        ("half-nested-projection", "12b-media-tiny", nested[:1]),
        ("one-nested", "12b-media-tiny", [["rename", PATCHES + "pos_", NESTED + "pos_"]]),
        (
            "projection-with-the-patches",
            "12b-media-tiny",
            [["rename", PROJECTION, PATCHES + "embedding_projection."]],
        ),
        (
            "audio-nested",
            "12b-media-tiny",
            [["rename", "model.embed_audio.", "model.embed_audio.multimodal_embedder."]],
        ),
        ("nested-31b", "31b-media-tiny", nested[:1]),
        (
            "both-names-equal",
            "12b-media-tiny",
            [["copy", PATCHES + "pos_norm.bias", NESTED + "pos_norm.bias"]],
        ),
        (
            "both-names-differ",
            "12b-media-tiny",
            [
                ["copy", PATCHES + "pos_norm.bias", NESTED + "pos_norm.bias"],
                ["flip", NESTED + "pos_norm.bias"],
            ],
        ),
    ]


def heads() -> list[tuple[str, str, list]]:
    """What stands beside the table of tokens, or in its place."""
    untied, text_untied = ["set", [TIED], False], ["set", ["text_config", TIED], False]
    unsaid = ["unset", [TIED]]
    equal, differs = ["copy", TABLE, HEAD], ["flip", HEAD]
    moved = [equal, ["drop", TABLE]]
    text = "model.embed_tokens.weight"
    forms = [
        ("head-equal", [equal]),
        ("head-differs", [equal, differs]),
        ("head-equal-under-model", [["copy", TABLE, "model." + HEAD]]),
        ("head-differs-under-model", [["copy", TABLE, "model." + HEAD], ["flip", "model." + HEAD]]),
        ("head-below-language-model", [["copy", TABLE, "language_model." + HEAD]]),
        ("head-alone", moved),
        ("head-untied-equal", [untied, equal]),
        ("head-untied-differs", [untied, equal, differs]),
        ("head-untied-missing", [untied]),
        ("head-untied-alone", [untied, *moved]),
        ("head-text-untied-missing", [text_untied]),
        ("head-text-untied-differs", [text_untied, equal, differs]),
        ("head-text-untied-unsaid", [text_untied, unsaid]),
        ("head-unsaid", [unsaid, ["unset", ["text_config", TIED]]]),
        ("head-unsaid-differs", [unsaid, equal, differs]),
        ("head-of-another-shape", [["fill", HEAD, "BF16", [64, 12]]]),
        ("head-of-another-type", [equal, ["cast", HEAD, "F32"]]),
        ("no-table", [["drop", TABLE]]),
    ]
    text_forms = [
        ("head-equal", [["copy", text, HEAD]]),
        ("head-differs", [["copy", text, HEAD], differs]),
        ("head-untied-differs", [untied, ["copy", text, HEAD], differs]),
        ("head-untied-missing", [untied]),
    ]
    drafter = "e2b-tiny-drafter"
    return [
        *((name, "e2b-tiny", steps) for name, steps in forms),
        ("head-differs", "12b-tiny", [equal, differs]),
        ("head-differs", "e2b-media-tiny", [equal, differs]),
        *((name, "e2b-sharing", steps) for name, steps in text_forms),
        *((name, drafter, steps) for name, steps in text_forms),
    ]


def extras() -> list[tuple[str, str, list]]:
    """Tensors that no model needs."""
    shared = LAYER + "5.self_attn."
    return [
        ("shared-keys-stored", "e2b-tiny", [["fill", shared + "k_proj.weight", "BF16", [12, 36]]]),
        ("shared-keys-misshapen", "e2b-tiny", [["fill", shared + "k_proj.weight", "BF16", [3, 4]]]),
        ("shared-v-norm", "e2b-tiny", [["fill", shared + "v_norm.weight", "BF16", [12]]]),
        ("own-v-norm", "e2b-tiny", [["fill", LAYER + "0.self_attn.v_norm.weight", "BF16", [12]]]),
        (
            "shared-keys-of-a-drafter",
            "e2b-tiny-drafter",
            [["fill", "model.layers.0.self_attn.k_proj.weight", "BF16", [3, 4]]],
        ),
        ("shared-keys-missing", "e4b-tiny", [["drop", LAYER + "6.self_attn.k_proj"]]),
        ("inv-freq", "e2b-tiny", [["fill", LANGUAGE + "rotary_emb.inv_freq", "F32", [6]]]),
        ("inv-freq", "e2b-media-tiny", [["fill", LANGUAGE + "rotary_emb.inv_freq", "F32", [6]]]),
        (
            "inv-freq-of-a-layer",
            "e2b-media-tiny",
            [["fill", LAYER + "0.self_attn.rotary_emb.inv_freq", "F32", [6]]],
        ),
        (
            "inv-freq-of-a-kind",
            "e2b-tiny",
            [["fill", LANGUAGE + "rotary_emb.sliding_attention_inv_freq", "F32", [6]]],
        ),
        (
            "position-ids",
            "e2b-media-tiny",
            [["fill", "model.vision_tower.position_ids", "I64", [4]]],
        ),
        ("embed-scale", "e2b-tiny", [["fill", LANGUAGE + "embed_tokens.embed_scale", "F32", []]]),
        (
            "softcap",
            "e2b-media-tiny",
            [["fill", "model.audio_tower.layers.0.self_attn.softcap", "F32", []]],
        ),
        ("unknown", "e2b-tiny", [["fill", LANGUAGE + "adapter.weight", "F32", [2]]]),
        ("bias", "e2b-tiny", [["fill", LAYER + "0.self_attn.q_proj.bias", "BF16", [48]]]),
        (
            "lora",
            "e2b-tiny",
            [["fill", LAYER + "0.self_attn.q_proj.lora_A.weight", "BF16", [4, 36]]],
        ),
    ]


def faults() -> list[tuple[str, str, list]]:
    """Tensors that are not there, or not as they should be."""
    return [
        ("norm-missing", "e2b-tiny", [["drop", NORM]]),
        ("scalar-missing", "e2b-tiny", [["drop", LAYER + "3.layer_scalar"]]),
        ("scalar-of-rank-0", "e2b-tiny", [["shape", "layer_scalar", []]]),
        ("misshapen", "e2b-tiny", [["shape", NORM, [6, 6]]]),
        ("bounds-of-rank-1", "e2b-media-tiny", [["shape", "put_m", [1]]]),
        (
            "bound-missing",
            "e2b-media-tiny",
            [["drop", "model.vision_tower.encoder.layers.0.self_attn.q_proj.input_min"]],
        ),
        (
            "bounds-unused",
            "e2b-media-tiny",
            [["set", ["vision_config", "use_clipped_linears"], False]],
        ),
        (
            "no-audio-tensors",
            "e2b-media-tiny",
            [["drop", "model.audio_tower."], ["drop", "model.embed_audio."]],
        ),
        ("no-audio-config", "e2b-media-tiny", [["set", ["audio_config"], None]]),
        (
            "weight-is-integer",
            "e2b-tiny",
            [["fill", "spare", "I8", [36]], ["drop", NORM], ["rename", "spare", NORM]],
        ),
        (
            "one-by-one-experts",
            "26b-tiny",
            [["rename", LAYER + "0.experts.down_proj", LAYER + "0.experts.0.down_proj.weight"]],
        ),
        (
            "k-eq-v-stored",
            "31b-tiny",
            [["fill", LAYER + "5.self_attn.v_proj.weight", "BF16", [48, 40]]],
        ),
    ]


def files() -> list[tuple[str, str, list]]:
    """How tensors lie in files, and their types."""
    shards = ["shards", 3]
    return [
        ("f32", "e2b-tiny", [["cast", "", "F32"]]),
        ("f64", "e2b-tiny", [["cast", "", "F64"]]),
        ("f16", "e2b-tiny", [["cast", "", "F16"]]),
        ("bf16", "26b-tiny", [["cast", "", "BF16"]]),
        (
            "mixed-types",
            "e2b-tiny",
            [["cast", "norm", "F32"], ["cast", "mlp", "F16"], ["cast", "q_proj", "F64"]],
        ),
        ("f8-e4m3", "e2b-tiny", [["cast", "mlp", "F8_E4M3"]]),
        ("f8-e5m2", "e2b-tiny", [["cast", "mlp", "F8_E5M2"]]),
        ("three-shards", "e2b-tiny", [shards]),
        ("index-of-one", "e2b-tiny", [["shards", 1]]),
        ("not-listed", "e2b-tiny", [shards, ["unlist", NORM]]),
        ("listed-but-missing", "e2b-tiny", [shards, ["list", "spare.weight", 1]]),
        ("listed-elsewhere", "e2b-tiny", [shards, ["list", NORM, 0], ["list", TABLE, 1]]),
        (
            "twice-equal",
            "e2b-tiny",
            [shards, ["twice", NORM, 0], ["twice", NORM, 1], ["twice", NORM, 2]],
        ),
        ("twice-differs", "e2b-tiny", [shards, ["spoil", NORM, 0], ["spoil", NORM, 2]]),
        ("shard-not-named", "e2b-tiny", [shards, ["unlist", "model."]]),
        ("another-name", "e2b-tiny", [["call", "weights.safetensors"]]),
    ]


def keys(base: str, *rows: tuple[str, list, object]) -> list[tuple[str, str, list]]:
    return [(f"key-{name}", base, [["set", path, value]]) for name, path, value in rows]


def text_keys() -> list[tuple[str, str, list]]:
    """Keys of config.json that could change the arithmetic; the weights stay as released."""
    text = "text_config"
    rope = [text, "rope_parameters"]
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
    return [
        *keys(
            "e2b-tiny",
            ("rope-scaling", [text, "rope_scaling"], {"rope_type": "linear", "factor": 8.0}),
            ("rope-scaling-root", ["rope_scaling"], {"rope_type": "linear", "factor": 8.0}),
            ("rope-theta", [text, "rope_theta"], 5000.0),
            ("rope-local", [text, "rope_local_base_freq"], 5000.0),
            ("partial-rotary", [text, "partial_rotary_factor"], 0.5),
            (
                "rope-linear",
                [*rope, "full_attention"],
                {
                    "rope_type": "linear",
                    "factor": 8.0,
                    "rope_theta": 1e6,
                    "partial_rotary_factor": 0.25,
                },
            ),
            ("rope-factor", [*rope, "full_attention", "factor"], 8.0),
            ("rope-yarn-key", [*rope, "full_attention", "attention_factor"], 2.0),
            ("rope-sliding-factor", [*rope, "sliding_attention", "factor"], 8.0),
            ("rope-yarn", [*rope, "sliding_attention"], {**yarn, "rope_theta": 1e4}),
            ("rope-sliding-part", [*rope, "sliding_attention", "partial_rotary_factor"], 0.5),
            ("rope-missing", rope, None),
        ),
        ("key-layer-types-absent", "e2b-tiny", [["unset", [text, "layer_types"]]]),
        (
            "key-last-sliding",
            "e2b-tiny",
            [["set", [text, "layer_types"], ["sliding_attention"] * 7]],
        ),
        ("key-eps-absent", "e2b-tiny", [["unset", [text, "rms_norm_eps"]]]),
        ("key-rope-absent", "e2b-tiny", [["unset", rope]]),
        ("key-shared-absent", "e2b-tiny", [["unset", [text, "num_kv_shared_layers"]]]),
    ]


def more_keys() -> list[tuple[str, str, list]]:
    text = "text_config"
    return [
        *keys(
            "e2b-tiny",
            ("window-null", [text, "sliding_window"], None),
            ("window-unused", [text, "use_sliding_window"], False),
            ("activation-relu", [text, "hidden_activation"], "relu"),
            ("activation-gelu", [text, "hidden_activation"], "gelu"),
            ("activation-other-key", [text, "hidden_act"], "relu"),
            ("attention-bias", [text, "attention_bias"], True),
            ("mlp-bias", [text, "mlp_bias"], True),
            ("attention-dropout", [text, "attention_dropout"], 0.5),
            ("query-scalar", [text, "query_pre_attn_scalar"], 64),
            ("attn-softcap", [text, "attn_logit_softcapping"], 50.0),
            ("softcap-null", [text, "final_logit_softcapping"], None),
            ("softcap-root", ["final_logit_softcapping"], 20.0),
            ("eps-root", ["rms_norm_eps"], 1e-3),
            ("bidirectional-all", [text, "use_bidirectional_attention"], "all"),
            ("bidirectional-true", [text, "use_bidirectional_attention"], True),
            ("activation-sparsity", [text, "activation_sparsity_pattern"], [0.5] * 7),
            ("altup", [text, "altup_num_inputs"], 4),
            ("laurel", [text, "laurel_rank"], 8),
            ("double-wide-absent", [text, "use_double_wide_mlp"], False),
            ("k-eq-v", [text, "attention_k_eq_v"], True),
            ("fused", [text, "fuse_qkv"], True),
            ("dtype", [text, "dtype"], "float16"),
            ("torch-dtype", ["torch_dtype"], "float16"),
            ("auto-map", ["auto_map"], {"AutoModelForCausalLM": "modeling.Other"}),
            ("pruned-heads", ["pruned_heads"], {"0": [0]}),
            (
                "quantization",
                ["quantization_config"],
                {"quant_method": "bitsandbytes", "load_in_4bit": True},
            ),
            ("unknown", [text, "some_new_thing"], 3),
            ("router-cap", [text, "router_logit_softcapping"], 5.0),
        ),
        *keys(
            "26b-tiny",
            ("norm-topk", [text, "norm_topk_prob"], False),
            ("scaling", [text, "routed_scaling_factor"], 2.5),
            ("router-activation", [text, "scoring_func"], "sigmoid"),
        ),
        *keys(
            "e2b-media-tiny",
            (
                "vision-rope-scaling",
                ["vision_config", "rope_scaling"],
                {"rope_type": "linear", "factor": 2.0},
            ),
            ("vision-activation", ["vision_config", "hidden_activation"], "relu"),
            ("vision-bias", ["vision_config", "attention_bias"], True),
            ("vision-unknown", ["vision_config", "use_head"], True),
            ("audio-context", ["audio_config", "attention_context_right"], 4),
            ("audio-act", ["audio_config", "hidden_act"], "relu"),
            ("audio-unknown", ["audio_config", "conf_reduction_factor"], 4),
        ),
    ]


def all_forms() -> list[tuple[str, str, list]]:
    return [
        *names(),
        *embedder_names(),
        *heads(),
        *extras(),
        *faults(),
        *files(),
        *text_keys(),
        *more_keys(),
    ]
