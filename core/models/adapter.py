"""The packaged cross-encoders on disk: a LoRA adapter in peft's own format, the head beside it, and where
there is a second reading (joint_model.py) the same for it in a folder below.

Loading adds scale * B A to each weight matrix of all-MiniLM-L6-v2 once (Hu et al. 2021, "LoRA"), so scoring
costs no more than the plain model. Only safetensors and JSON are read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..types import InputError
from . import registry
from .device import chosen
from .encoder import Encoder
from .joint_model import ACROSS, Head, JointModel
from .weights import to_hub_names, to_own_names

ADAPTER = "adapter_model.safetensors"
HEAD = "head.safetensors"
PEFT = "adapter_config.json"  # as peft calls it
SECOND = "second"  # the folder of the second reading
CONFIG = "cross_encoder.json"  # what neither peft nor transformers has a place for
PREFIX = "base_model.model."  # how peft's names begin
TARGETS = ("query", "key", "value", "dense")  # every linear map of a layer


def read_adapter(folder: Path) -> JointModel:
    """The cross-encoder of this folder. Raises InputError when a file is missing, damaged or does not fit."""
    try:
        device = str(chosen())
        adapter, head = load_file(folder / ADAPTER, device), load_file(folder / HEAD, device)
        config = json.loads((folder / PEFT).read_text(encoding="utf-8"))
        joint = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        base = registry.load("minilm-l6")
        own = merged(base, adapter, config)
        second = read_adapter(folder / SECOND) if (folder / SECOND).is_dir() else None
        return JointModel(own, read_head(head, base.dim).to(device), joint["across"], base, second).eval()
    except FileNotFoundError as error:
        raise InputError(f"The cross-encoder in {folder.name} cannot be read: a file is missing.") from error
    except (OSError, SafetensorError, json.JSONDecodeError, KeyError, RuntimeError) as error:
        raise InputError(
            f"The cross-encoder in {folder.name} cannot be read: {str(error).splitlines()[0]}."
        ) from error


def merged(base: Encoder, adapter: dict[str, Tensor], config: dict[str, Any]) -> Encoder:
    """The base model with each adapted matrix W replaced by W + scale * B A; the base stays as it is."""
    state = to_hub_names(base)
    scale = config["lora_alpha"] / config["r"]
    for name, value in adapter.items():
        key = name.removeprefix(PREFIX)
        if key.endswith("lora_A.weight"):
            up = adapter[name.replace("lora_A", "lora_B")].float()  # (out, r)
            state[key.replace("lora_A.", "")] += scale * (up @ value.float())
        elif not key.endswith("lora_B.weight"):
            state[key].copy_(value)
    with torch.device("meta"):
        adapted = Encoder(base.tokenizer, base.shape, base.max_length, "cross-encoder")
    adapted.load_state_dict(to_own_names(state, base.shape.layers), assign=True)
    adapted.embeddings.word = base.embeddings.word  # the large table is not adapted: share it
    return adapted.requires_grad_(False).eval()


def read_head(found: dict[str, Tensor], dim: int) -> Head:
    head = Head(dim, inner=len(found["inner.bias"]), apart="apart" in found)
    head.load_state_dict({key: value.float() for key, value in found.items()})
    head.requires_grad_(False)
    return head


def write_adapter(
    folder: Path,
    lora: dict[str, Tensor],
    token_types: Tensor,
    head: Head,
    rank: int,
    scale: float,
    across: float = ACROSS,
) -> None:
    """Write what `read_adapter` and peft's PeftModel.from_pretrained read, in half precision.

    `lora` names each matrix as transformers does, then ".lora_A.weight" (r, in) or ".lora_B.weight" (out, r).
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {PREFIX + key: value.half().contiguous() for key, value in lora.items()}
    state[PREFIX + "embeddings.token_type_embeddings.weight"] = token_types.half().contiguous()
    save_file(state, folder / ADAPTER, metadata={"format": "pt"})
    own = {key: value.detach().half().contiguous() for key, value in head.state_dict().items()}
    save_file(own, folder / HEAD, metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": "FEATURE_EXTRACTION",
        "base_model_name_or_path": "sentence-transformers/all-MiniLM-L6-v2",
        "inference_mode": True,
        "r": rank,
        "lora_alpha": scale * rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": list(TARGETS),
        "modules_to_save": ["token_type_embeddings"],
    }
    for name, value in ((PEFT, config), (CONFIG, {"across": across})):
        (folder / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
