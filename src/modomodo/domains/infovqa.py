"""InfoVQA's validation split: questions about infographics, whose own test split has no answers.

Columns `questionId`, `question`, `answers` (accepted texts), `image`; 2,801 rows. Source: lmms-eval, tasks/infovqa.
"""

from modomodo.domains.building import Published
from modomodo.domains.generic import drafts
from modomodo.domains.source import Source

INFOVQA = Published(
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
