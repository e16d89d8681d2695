"""What a set of rows would pay for, before anything is trained on it; see docs/audit.md."""

from modomodo.data.audit.findings import Finding, findings
from modomodo.data.audit.measure import Audited, audit_rows

__all__ = ["Audited", "Finding", "audit_rows", "findings"]
