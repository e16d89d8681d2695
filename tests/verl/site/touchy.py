"""Domains whose verifier fails: on one row, and on all. Installed, for whoever has this folder on its path."""

from dataclasses import replace

from modomodo.core.rows import Row, Verdict, View
from modomodo.data.domain import Domain, verify_row
from modomodo.data.registry import DOMAINS

UNGRADABLE = "spatial-train-00003"


def _made(name: str, fails) -> Domain:
    def verify(row: Row, reply: str, view: View) -> Verdict:
        if fails(row):
            raise RuntimeError("verifier fell over")
        return verify_row(row, reply, view)

    def load(split: str) -> list[Row]:
        return [replace(row, domain=name) for row in DOMAINS["spatial"].load(split)[:64]]

    return replace(DOMAINS["spatial"], name=name, load=load, verify=verify)


TOUCHY = _made("touchy", lambda row: row.id == UNGRADABLE)
BROKEN = _made("broken", lambda row: True)
