"""ChartQA's test split: questions about charts, by people and by a program.

Columns `type`, `question`, `answer`, `image`; 2,500 rows. Source: lmms-eval, tasks/chartqa.
"""

from modomodo.data.sources.build import SourceDomain
from modomodo.data.sources.columns import drafts
from modomodo.data.sources.source import Source

CHARTQA = SourceDomain(
    "chartqa",
    Source(
        hub="lmms-lab-encoder/ChartQA",
        licence="gpl-3.0",
        splits={"test": "test"},
        verifier="relaxed",
        rows={"test": 2500},
        unusable=5,
    ),
    drafts,
)
