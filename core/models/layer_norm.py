"""Layer normalisation whose gradient does not depend on how many threads compute it.

PyTorch's own adds up the gradients of weight and bias in one part a thread, so their last bits change with
the number of threads; all else that a step without dropout does gives the same bits with any. Workers take
more or fewer cores while a run goes on, so it could otherwise not be repeated bit for bit.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class LayerNorm(nn.LayerNorm):
    """torch.nn.LayerNorm over the last dimension: same parameters, same output."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., d) -> (..., d)."""
        out: Tensor = _LayerNorm.apply(x, self.weight, self.bias, self.eps)
        return out


class _LayerNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        y, mean, deviation = torch.native_layer_norm(x, x.shape[-1:], weight, bias, eps)
        ctx.save_for_backward(x, weight, bias, mean, deviation)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, weight, bias, mean, deviation = ctx.saved_tensors  # deviation: 1 / sqrt(variance + eps)
        by_x, by_weight, by_bias = None, None, None
        if ctx.needs_input_grad[0]:
            only_x = [True, False, False]
            by_x = torch.ops.aten.native_layer_norm_backward(
                grad, x, x.shape[-1:], mean, deviation, weight, bias, only_x
            )[0]
        rows = tuple(range(x.ndim - 1))
        if ctx.needs_input_grad[1]:
            by_weight = (x - mean).mul_(deviation).mul_(grad).sum(rows)
        if ctx.needs_input_grad[2]:
            by_bias = grad.sum(rows)
        return by_x, by_weight, by_bias, None
