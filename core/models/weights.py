"""Encoders on disk: Hugging Face's folder layout in, and out again so that other tools can load it.

Only safetensors and JSON are read; nothing in a model folder is ever executed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, normalizers
from torch import Tensor

from ..types import InputError
from .encoder import ACTIVATIONS, Encoder, Layer, Shape
from .settings import OWN, ModelSettings, max_tokens, read_json, read_settings, transformer_part

# Model types whose weights have BERT's names and maths; True where positions start after the padding id.
MODEL_TYPES = {"bert": False, "roberta": True, "xlm-roberta": True, "camembert": True}
ARCHITECTURES = {
    "bert": "BertModel",
    "roberta": "RobertaModel",
    "xlm-roberta": "XLMRobertaModel",
    "camembert": "CamembertModel",
}

EMBEDDING_NAMES = {
    "word": "word_embeddings.weight",
    "position": "position_embeddings.weight",
    "token_type": "token_type_embeddings.weight",
    "norm.weight": "LayerNorm.weight",
    "norm.bias": "LayerNorm.bias",
}
LAYER_NAMES = {
    "attention_out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "out_norm": "output.LayerNorm",
}
PARTS = ("weight", "bias")


def read_folder(folder: Path, layers: int | None = None, name: str = "") -> Encoder:
    """Load a BERT-family model; `layers` keeps only the first ones. Parameters need no gradient.

    Raises InputError when a file is missing, damaged, of an architecture that is not BERT's, or asks for
    something that this app does not do.
    """
    part = transformer_part(folder)
    shape = read_shape(read_json(part / "config.json"), folder.name)
    settings = read_settings(folder)
    found = read_tensors(part)
    kept = shape.layers if layers is None else min(layers, shape.layers)
    encoder = empty_encoder(part, replace(shape, layers=kept), name or folder.name, settings)
    try:
        state = to_own_names(_without_prefix(found), kept)
        encoder.load_state_dict(state, assign=True)
    except (KeyError, RuntimeError, StopIteration) as error:
        raise InputError(
            f"The weights of {folder.name} are not those of the model in its config.json."
        ) from error
    return encoder.requires_grad_(False).eval()


def map_words(encoder: Encoder, folder: Path) -> None:
    """Leave the table of words, half of a small model, in its file: its pages come when they are looked up,
    and all processes of a machine share them. Its rows are copied, never multiplied, so how they lie does not
    matter. Only for a file that nobody writes to while it is used."""
    with safe_open(folder / "model.safetensors", "pt") as file:
        words = file.get_tensor(f"embeddings.{EMBEDDING_NAMES['word']}")
    encoder.embeddings.word = torch.nn.Parameter(words.float(), requires_grad=False)


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """The tensors of the folder's model.safetensors. Raises InputError when it is missing or damaged."""
    file = folder / "model.safetensors"
    if not file.is_file():
        raise InputError(f"{folder.name} has no model.safetensors; only that format is read.")
    try:
        return load_file(file)
    except SafetensorError as error:
        raise InputError(f"{file.name} of {folder.name} is damaged: {error}.") from error


def random_encoder(folder: Path, seed: int, name: str = "blank") -> Encoder:
    """The same tokenizer and shape as the model in `folder`, with fresh weights from `seed`.

    As BERT starts: normal with standard deviation 0.02, biases 0, layer norms 1.
    """
    shape = read_shape(read_json(folder / "config.json"), folder.name)
    return fill_randomly(empty_encoder(folder, shape, name, read_settings(folder)), seed)


def fill_randomly(encoder: Encoder, seed: int) -> Encoder:
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}
    for key, meta in encoder.state_dict().items():
        if key.endswith("bias"):
            state[key] = torch.zeros(meta.shape)
        elif "norm" in key:
            state[key] = torch.ones(meta.shape)
        else:
            state[key] = torch.empty(meta.shape).normal_(0.0, 0.02, generator=generator)
    encoder.load_state_dict(state, assign=True)
    return encoder.requires_grad_(False).eval()


def empty_encoder(part: Path, shape: Shape, name: str, settings: ModelSettings) -> Encoder:
    """An encoder without weights yet, with the folder's tokenizer and maximum length."""
    tokenizer = read_tokenizer(part)
    limit = max_tokens(part, shape.positions - shape.first_position)
    with torch.device("meta"):
        return Encoder(tokenizer, shape, limit, name, settings)


def read_tokenizer(folder: Path) -> Tokenizer:
    """The folder's fast tokenizer, which lower-cases where one of the folder's settings says so.

    Raises InputError when it is missing or damaged.
    """
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise InputError(f"{folder.name} has no tokenizer.json; save the model with its fast tokenizer.")
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise InputError(f"tokenizer.json of {folder.name} cannot be read: {error}.") from error
    said = read_json(folder / "tokenizer_config.json", needed=False)
    rules = tokenizer.normalizer
    if isinstance(rules, normalizers.BertNormalizer) and "Bert" in (said.get("tokenizer_class") or "Bert"):
        # transformers makes BERT's tokenizer anew from this file, so it counts more than tokenizer.json.
        rules.lowercase = bool(said.get("do_lower_case", rules.lowercase))
        tokenizer.normalizer = rules
    if read_json(folder / "sentence_bert_config.json", needed=False).get("do_lower_case"):
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *([rules] if rules else [])])
    return tokenizer


def read_shape(config: dict[str, Any], name: str) -> Shape:
    """Sizes from config.json. Raises InputError for an architecture this app does not run."""
    kind = config.get("model_type")
    if kind not in MODEL_TYPES:
        raise InputError(f"{name} is a {kind} model; this app runs {', '.join(MODEL_TYPES)} models.")
    activation = config.get("hidden_act", "gelu")
    if activation not in ACTIVATIONS or config.get("position_embedding_type", "absolute") != "absolute":
        raise InputError(f"{name} uses an activation or position encoding that this app does not run.")
    pad = int(config.get("pad_token_id") or 0)
    try:
        return Shape(
            vocabulary=config["vocab_size"],
            dim=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            inner=config["intermediate_size"],
            positions=config["max_position_embeddings"],
            token_types=config.get("type_vocab_size", 2),
            epsilon=config.get("layer_norm_eps", 1e-12),
            activation=activation,
            first_position=pad + 1 if MODEL_TYPES[kind] else 0,
            pad_id=pad,
            model_type=kind,
        )
    except KeyError as error:
        raise InputError(f"config.json of {name} does not say {error}.") from error


def to_own_names(found: dict[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Hugging Face's names to this project's, in fresh aligned float32 memory.

    Fresh, because the bits of a matrix product can depend on how its operands lie in memory.
    """
    state = {f"embeddings.{own}": found[f"embeddings.{theirs}"] for own, theirs in EMBEDDING_NAMES.items()}
    for i in range(layers):
        theirs = f"encoder.layer.{i}."
        for part in PARTS:
            three = [found[f"{theirs}attention.self.{one}.{part}"] for one in ("query", "key", "value")]
            state[f"layers.{i}.query_key_value.{part}"] = torch.cat(three)
            for own, name in LAYER_NAMES.items():
                state[f"layers.{i}.{own}.{part}"] = found[f"{theirs}{name}.{part}"]
    return {key: value.to(torch.float32, copy=True).contiguous() for key, value in state.items()}


def to_hub_names(encoder: Encoder) -> dict[str, Tensor]:
    """The other way round: every weight under the name that transformers gives it."""
    own = encoder.state_dict()
    state = {f"embeddings.{theirs}": own[f"embeddings.{name}"] for name, theirs in EMBEDDING_NAMES.items()}
    for i, layer in enumerate(encoder.layers):
        assert isinstance(layer, Layer)
        for part in PARTS:
            three = own[f"layers.{i}.query_key_value.{part}"].chunk(3)
            for one, value in zip(("query", "key", "value"), three):
                state[f"encoder.layer.{i}.attention.self.{one}.{part}"] = value
            for name, theirs in LAYER_NAMES.items():
                state[f"encoder.layer.{i}.{theirs}.{part}"] = own[f"layers.{i}.{name}.{part}"]
    return {key: value.detach().clone().contiguous() for key, value in state.items()}


def save_folder(encoder: Encoder, folder: Path, pooling: str = OWN) -> None:
    """Write a folder that this app, transformers and sentence-transformers can load, with the encoder's own
    settings; `pooling` is what it was trained with."""
    shape, pooling = encoder.shape, encoder.settings.pooling_named(pooling)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": [ARCHITECTURES[shape.model_type]],
        "model_type": shape.model_type,
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.dim,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.token_types,
        "layer_norm_eps": shape.epsilon,
        "hidden_act": shape.activation,
        "pad_token_id": shape.pad_id,
    }
    pooling_config = {
        "word_embedding_dimension": shape.dim,
        "pooling_mode_cls_token": pooling == "cls",
        "pooling_mode_mean_tokens": pooling == "mean",
        "pooling_mode_max_tokens": pooling == "max",
    }
    tokenizer = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": encoder.max_length}
    save_modules(encoder.settings, folder, ("Transformer", "Pooling"))
    for name, value in (
        ("config.json", config),
        ("sentence_bert_config.json", {"max_seq_length": encoder.max_length, "do_lower_case": False}),
        ("1_Pooling/config.json", pooling_config),
        ("tokenizer_config.json", tokenizer | _special_tokens(encoder)),
    ):
        (folder / name).write_text(json.dumps(value, indent=2), encoding="utf-8")
    encoder.tokenizer.save(str(folder / "tokenizer.json"))
    save_file(to_hub_names(encoder), folder / "model.safetensors", metadata={"format": "pt"})


def save_modules(settings: ModelSettings, folder: Path, kinds: Sequence[str]) -> None:
    """The files that say what happens one after the other, and the model's prompts."""
    modules = []
    for i, kind in enumerate((*kinds, *(["Normalize"] if settings.normalize else []))):
        path = f"{i}_{kind}" if i else ""
        (folder / path).mkdir(parents=True, exist_ok=True)
        modules.append(
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        )
    prompts = {"prompts": dict(settings.prompts), "default_prompt_name": settings.default_prompt}
    for name, value in (("modules.json", modules), ("config_sentence_transformers.json", prompts)):
        (folder / name).write_text(json.dumps(value, indent=2), encoding="utf-8")


def _special_tokens(encoder: Encoder) -> dict[str, str]:
    """What transformers must be told about a bare tokenizer: its special tokens, by role."""
    known = set(encoder.tokenizer.get_vocab())
    bert = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    roberta = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}
    return bert if "[CLS]" in known else {role: token for role, token in roberta.items() if token in known}


def _without_prefix(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """Drop what stands before "embeddings.": some files say "bert.embeddings...."."""
    anchor = "embeddings.word_embeddings.weight"
    prefix = next(key for key in found if key.endswith(anchor))[: -len(anchor)]
    return {key[len(prefix) :]: value for key, value in found.items() if key.startswith(prefix)}
