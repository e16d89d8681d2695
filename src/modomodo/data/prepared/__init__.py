"""Prepared sets: the curated rows of domains in a folder, images included, for engines that read offline."""

from modomodo.data.prepared.manifest import prepared_counts
from modomodo.data.prepared.sets import Prepared, prepare, read_prepared
from modomodo.data.prepared.survey import Dropped

__all__ = ["Dropped", "Prepared", "prepare", "prepared_counts", "read_prepared"]
