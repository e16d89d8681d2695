"""The runs of a study as a table for a notebook."""

import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

from modomodo.config.study import Study
from modomodo.study.results import FinishedRun, finished_runs

PLAIN = ("label", "key", "kind", "part", "seed", "steps", "seconds")
OF_A_MIXTURE = ("w", "realised", "effective", "tokens")
OF_A_SCORE = {"score": "mean", "se": "se", "n": "n", "unparsed": "unparsed"}


def study_frame(study: Study) -> pd.DataFrame:
    """Return a row for each finished run of the study, also of those that it plans no more.

    Columns: label, key (its folder in runs/), kind (base, pilot, confirmation, single), part (of the items that it is
    scored on), seed, steps, seconds; for each domain w.NAME (the mixture) and the shares realised., effective. and
    tokens.NAME; for each benchmark score., se., n. and unparsed.NAME. NaN where a run has none.
    """
    benchmarks = (*study.benchmarks, *study.in_distribution, *study.held_out)
    domains = study.recipe.domains
    columns = [*PLAIN, *(f"{kind}.{name}" for kind in OF_A_MIXTURE for name in domains)]
    columns += [f"{kind}.{name}" for kind in OF_A_SCORE for name in benchmarks]
    return pd.DataFrame([_row(run, domains, benchmarks) for run in finished_runs(study)], columns=pd.Index(columns))


def _row(run: FinishedRun, domains: tuple[str, ...], benchmarks: tuple[str, ...]) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(run, name) for name in PLAIN}
    shares = (run.mixture.as_dict(), run.realised, run.effective, run.tokens)
    for kind, found in zip(OF_A_MIXTURE, shares, strict=True):
        row |= {f"{kind}.{name}": found.get(name, 0.0) if run.steps else None for name in domains}
    for kind, field in OF_A_SCORE.items():
        scored = {name: getattr(run.scores[name], field) if name in run.scores else None for name in benchmarks}
        row |= {f"{kind}.{name}": value for name, value in scored.items()}
    return row
