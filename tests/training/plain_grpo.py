"""GRPO's updates by a few lines of torch: what both engines are held to. Axes: N completions."""

from collections.abc import Iterable

import torch

Weights = dict[str, torch.Tensor]


def loss(model, *, ids, mask, start: int, advantages_N: torch.Tensor, **pictures: torch.Tensor) -> torch.Tensor:
    """Return the mean over completions of the mean over their tokens, which begin at `start`, one update a batch."""
    logits = model(input_ids=ids, attention_mask=mask, **pictures).logits[:, start - 1 : -1]
    logs = logits.log_softmax(-1).gather(-1, ids[:, start:, None])[..., 0]
    own, ratios = mask[:, start:], (logs - logs.detach()).exp()
    return -((advantages_N[:, None] * ratios * own).sum(1) / own.sum(1)).mean()


def update(model, steps: Iterable[Iterable[torch.Tensor]], *, rate: float, max_norm: float) -> list[float]:
    """Return the norm of the gradient of each step, whose losses are made when it is its turn, and summed."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    norms: list[float] = []
    for losses in steps:
        optimizer.zero_grad()
        for one in losses:
            one.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm).item())
        optimizer.step()
    return norms


def weights_of(model) -> Weights:
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def apart(trained: Weights, plain: Weights, *, begun: Weights) -> float:
    """Return how far two models are apart that began as one, as a share of the way that the first has moved."""
    gap, way = (sum((trained[name] - one[name]).square().sum() for name in one).sqrt() for one in (plain, begun))
    return float(gap / way)
