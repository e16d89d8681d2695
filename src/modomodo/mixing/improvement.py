"""Noisy expected improvement on a finite list of mixtures, by BoTorch.

Axes: N mixtures of the list.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from modomodo.core.errors import ModomodoError
from modomodo.mixing.surrogates.base import Array, IntArray

if TYPE_CHECKING:
    from botorch.models.model import Model

SAMPLES = 256  # of the joint posterior, quasi-random
AT_ONCE = 64  # choices whose samples stand in memory together
JITTER = 1e-7  # of the greatest variance: mixtures that are nearly one make covariances singular


def need_botorch() -> None:
    """Raise ModomodoError, which says what to install, where BoTorch is missing."""
    try:
        import botorch  # noqa: F401 # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise ModomodoError(f"proposing pilots needs BoTorch: pip install 'modomodo[gp]' ({error})") from None


def most_improving(
    mean_N: Array, *, covariance_NN: Array, known: IntArray, choices: IntArray, batch: int, seed: int
) -> list[tuple[int, float]]:
    """Return `batch` different rows of `choices` (all of them if fewer), each with its expected improvement.

    Higher means are better. The improvement is that of the expected score over the best of the `known` rows and of the
    picks before it: E max(0, f(pick) - max f(known)), where all f are drawn from the joint posterior, so that a lucky
    run is no bar (Letham et al. 2019; in logs and one pick after the other as Ament et al. 2023, qLogNEI).
    """
    import torch
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.optim import optimize_acqf_discrete
    from botorch.sampling import SobolQMCNormalSampler

    spread = float(np.sqrt(np.max(np.diag(covariance_NN))))
    scale = spread if spread > 0 else 1.0  # nothing is in doubt: any scale will do
    scaled_NN = covariance_NN / scale**2 + JITTER * np.eye(len(mean_N))
    found = qLogNoisyExpectedImprovement(
        _rows_model(mean_N / scale, scaled_NN),
        _column(known),
        SobolQMCNormalSampler(torch.Size([SAMPLES]), seed=seed % 2**31),
        prune_baseline=False,  # it draws without a seed
        cache_root=False,
    )
    # With one choice asked for, BoTorch gives a bare number.
    rows, values = optimize_acqf_discrete(found, min(batch, len(choices)), _column(choices), max_batch_size=AT_ONCE)
    improvements = spread * np.exp(np.atleast_1d(values.numpy()))
    return [(int(row), float(value)) for row, value in zip(rows[:, 0], improvements, strict=True)]


def _column(rows: IntArray) -> Any:
    import torch

    return torch.as_tensor(np.array(rows), dtype=torch.float64)[:, None]


def _rows_model(mean_N: Array, covariance_NN: Array) -> "Model":
    """Return the joint posterior as a model whose inputs are row numbers, shape [..., rows, 1]."""
    import torch
    from botorch.models.model import Model
    from botorch.posteriors import GPyTorchPosterior
    from gpytorch.distributions import MultivariateNormal  # pyright: ignore[reportMissingTypeStubs]

    mean, covariance = torch.as_tensor(mean_N), torch.as_tensor(covariance_NN)

    class Rows(Model):
        @property
        def num_outputs(self) -> int:
            return 1

        @property
        def batch_shape(self) -> torch.Size:
            return torch.Size([])

        def posterior(self, X: Any, *args: object, **settings: object) -> GPyTorchPosterior:
            rows = X[..., 0].long()
            inside = covariance[rows[..., :, None], rows[..., None, :]]
            return GPyTorchPosterior(MultivariateNormal(mean[rows], inside))

    return Rows()
