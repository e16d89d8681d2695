"""InfoVQA's validation split: questions about infographics, whose own test split has no answers.

Columns `questionId`, `question`, `answers` (accepted texts), `image`; 2,801 rows. Source: lmms-eval, tasks/infovqa.
"""

from modomodo.data.sources.build import SourceDomain
from modomodo.data.sources.columns import drafts
from modomodo.data.sources.source import Source

INFOVQA = SourceDomain(
    "infovqa",
    Source(
        hub="lmms-lab-encoder/DocVQA",
        config="InfographicVQA",
        splits={"test": "validation"},
        id="questionId",
        answer="answers",
        verifier="anls",
        rows={"test": 2801},
        unusable=5,
    ),
    drafts,
)
