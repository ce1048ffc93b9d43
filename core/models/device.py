"""Where models compute: on a graphics card where there is one, or where EMBEDDING_LAB_DEVICE says.

A model is moved there as it is loaded, and every tensor that meets it is made on its device; what leaves for
the rest of the app is numpy, in the computer's own memory.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from ..types import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SETTING = "EMBEDDING_LAB_DEVICE"  # cpu, cuda, cuda:1, mps, xpu ...; auto, or nothing, chooses


@cache
def chosen() -> torch.device:
    """The device of this process's models. Raises InputError, one sentence, for one that is not there."""
    import torch

    asked = os.environ.get(SETTING, "").strip() or "auto"
    found = torch.accelerator.current_accelerator(check_available=True)
    if asked == "auto":
        return found or torch.device("cpu")
    try:
        device = torch.device(asked)
        torch.ones(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # of many kinds, by backend
        there = "only cpu" if found is None else f"cpu and {found.type}"
        raise InputError(
            f"{SETTING}={asked} is no device that PyTorch can use here; it finds {there}."
        ) from error
    return device


def check() -> str:
    """The name of the chosen device, for whoever starts a server. Raises InputError as `chosen`."""
    return str(chosen())


def numbers(tensor: Tensor) -> Any:
    """As a numpy array of the same shape, without its gradient; it may share the tensor's memory."""
    return tensor.detach().cpu().numpy()
