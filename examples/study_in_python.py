"""A study in a notebook: its runs as a DataFrame, the fitted surrogate, and the report's figures one by one.

python examples/study_in_python.py study.toml FOLDER
"""

import sys
from pathlib import Path

from modomodo import Study, read_study, recommend
from modomodo.reports import (
    interactions_figure,
    mixture_figure,
    pairwise_interactions,
    predicted_figure,
    response_slices,
    slice_figure,
)

if len(sys.argv) != 3:
    sys.exit(__doc__)
study = Study.load(sys.argv[1])
folder = Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)

runs = study.runs  # a pandas DataFrame: w.<domain>, score.<benchmark>, se.<benchmark>, realised.<domain>, ...
pilots = runs[runs["kind"] == "pilot"].set_index("label")
print(pilots.filter(like="score.").round(3).to_string())

fitted = read_study(study).fit()
answer = recommend(fitted, objective="out")
print(answer.sentence)

slices = response_slices(fitted, answer.mixture)
figures = {
    "mixture": mixture_figure(answer.mixture),
    "predicted": predicted_figure(fitted, name="out"),
    "pairs": interactions_figure(pairwise_interactions(fitted, name="out")),
    **{f"along {name}": slice_figure(slices, domain=name, name="out") for name in slices.domains},
}
for name, figure in figures.items():  # in a notebook: figure.show()
    figure.write_json(folder / f"{name}.json")
print(f"{len(figures)} figures in {folder}")
