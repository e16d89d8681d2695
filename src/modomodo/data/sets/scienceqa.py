"""ScienceQA, the questions with an image: school science, one option of two to five.

Columns `image`, `question`, `choices`, `answer` (index from 0), `hint`; config ScienceQA-IMG, its own splits train
(6,218) and test (2,017). Source: lmms-eval, tasks/scienceqa.
"""

from modomodo.data.sources.build import SourceDomain
from modomodo.data.sources.columns import drafts
from modomodo.data.sources.source import Source

SCIENCEQA = SourceDomain(
    "scienceqa",
    Source(
        hub="lmms-lab-encoder/ScienceQA",
        config="ScienceQA-IMG",
        licence="cc-by-nc-sa-4.0",
        splits={"train": "train", "test": "test"},
        question="{hint}\n{question}",
        options="choices",
        answer_as="index",
        verifier="choice",
        rows={"train": 6218, "test": 2017},
        unusable=20,
    ),
    drafts,
)
