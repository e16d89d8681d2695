"""The rows that a run trains on: by domain and id, with how each is asked and what a completion of it earns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modomodo.core.rows import Row, Verdict, View
from modomodo.data.domain import Domain, Message, verdict_on


@dataclass(frozen=True)
class RowTable:
    """Rows of several domains, domain -> id -> Row, as a model of this `view` is asked them."""

    domains: Mapping[str, Domain]
    rows: Mapping[str, Mapping[str, Row]]
    view: View = field(default_factory=View)

    @staticmethod
    def load(domains: Mapping[str, Domain], *, view: View | None = None) -> "RowTable":
        """Return the table of the domains' training rows."""
        rows = {name: {row.id: row for row in domain.load("train")} for name, domain in domains.items()}
        return RowTable(domains, rows, view or View())

    @property
    def pools(self) -> dict[str, list[str]]:
        """The row ids of each domain, for `schedule`."""
        return {name: list(rows) for name, rows in self.rows.items()}

    def row(self, domain: str, row_id: str) -> Row:
        return self.rows[domain][row_id]

    def prompt(self, domain: str, row_id: str) -> Sequence[Message]:
        """Return the messages that ask a row."""
        return self.domains[domain].prompt(self.row(domain, row_id), self.view)

    def verdict(self, domain: str, row_id: str, completion: str) -> Verdict:
        """Return the verdict on a completion of a row; it is `ungradable` where the verifier itself fails."""
        return verdict_on(self.row(domain, row_id), completion, domain=self.domains[domain], view=self.view)
