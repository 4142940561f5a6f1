"""The certificate of deletion: what was seen, when and by whom, and what could not be seen; signed by the school.

Its body is canonical JSON (keys sorted, no spaces, UTF-8), signed with Ed25519. The file carries the public key, so
anybody can check that nothing was changed; that the key is the school's is checked against its home, or by comparing
the key's fingerprint with the one the school publishes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from socialgov.actions.certificate_body import CONTENT, canonical, certificate_body
from socialgov.actions.closing_steps import JOB, Work, finish_step, keepers_to_tell
from socialgov.escrow import verify_signature
from socialgov.store.closings import Certificate, certificate_of, close_account_row, finish_closing, insert_certificate
from socialgov.store.connect import write
from socialgov.store.events import EventTag, record_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from socialgov.home import Home

__all__ = ["CertificateReport", "certificate_of", "certificate_text", "issue_certificate", "verify_certificate"]

LONGEST = 1_000_000  # characters; a real one has a few thousand


@dataclass(frozen=True, slots=True)
class CertificateReport:
    """What a check of a certificate found. `fault` in words, None where it holds; `home_says` what the home adds."""

    fault: str | None
    body: dict[str, Any] | None = None
    fingerprint: str | None = None
    home_says: str | None = None

    @property
    def valid(self) -> bool:
        return self.fault is None


def issue_certificate(work: Work) -> None:
    """The last step: certificate, closed account, finished closing and their events in one transaction."""
    home, account, now = work.home, work.account, work.now
    with write(home.db) as db:
        body = canonical(certificate_body(work, db))
        signature = home.escrow.sign(CONTENT + body.encode())
        certificate_id = insert_certificate(
            db, account_id=account.id, body=body, signature=signature, key_id=home.escrow.key_id, now=now
        )
        digest = hashlib.sha256(body.encode()).hexdigest()
        record_event(
            db,
            EventTag.CERTIFICATE_ISSUED,
            actor=JOB,
            now=now,
            subject="certificate",
            subject_id=certificate_id,
            account_id=account.id,
            data={"sha256": digest},
        )
        finish_step(work, db, None, data={"certificate": certificate_id})
        close_account_row(db, account, now)
        finish_closing(db, work.step.closing_id, now)
        record_event(
            db,
            EventTag.ACCOUNT_CLOSED,
            actor=JOB,
            now=now,
            subject="account",
            subject_id=account.id,
            account_id=account.id,
        )
        text = f"{account.handle or account.handle_wished} on {work.platform.name} is closed. The certificate is ready."
        keepers_to_tell(db, account, f"closed:{work.step.closing_id}", text, now=now)


def certificate_text(certificate: Certificate) -> str:
    """The file to hand out: body and signature as JSON, readable by `verify_certificate`."""
    whole = {"certificate": json.loads(certificate.body), "signature": certificate.signature}
    return json.dumps(whole, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def fingerprint(public_key: str) -> str:
    """A public key in a form that people can compare: the first 32 hex digits of its SHA-256, in groups of four."""
    digest = hashlib.sha256(base64.b64decode(public_key)).hexdigest()[:32]
    return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


def verify_certificate(text: str, home: Home | None = None) -> CertificateReport:
    """Check a certificate file: its shape, that nothing in it was changed, and with `home` that it is this school's.

    Never raises for a bad file: the report says what is wrong.
    """
    try:
        body, signature = _parts(text)
    except (ValueError, RecursionError) as error:
        return CertificateReport(f"This is no certificate: {error}.")
    key = body["school"]["public_key"]
    if not verify_signature(CONTENT + canonical(body).encode(), signature, key):
        return CertificateReport("The signature does not fit: the certificate was changed, or made by somebody else.")
    report = CertificateReport(None, body, fingerprint(key))
    return report if home is None else _against_home(report, body, home)


def _against_home(report: CertificateReport, body: dict[str, Any], home: Home) -> CertificateReport:
    """Signed by this school's key, and the very one that its database holds."""
    if body["school"]["public_key"] != home.escrow.public_key():
        return CertificateReport("It was signed, but not with this school's key.", body, report.fingerprint)
    kept = certificate_of(home.db, body["account"]["id"])
    if kept is None or kept.body != canonical(body):
        return CertificateReport("This school's database holds no such certificate.", body, report.fingerprint)
    said = "Signed with this school's key, and the same as the one in its database."
    return CertificateReport(None, body, report.fingerprint, said)


def _parts(text: str) -> tuple[dict[str, Any], str]:
    """Body and signature. ValueError for anything that is not exactly a certificate."""
    if len(text) > LONGEST:
        raise ValueError("it is too long")
    try:
        whole = json.loads(text, object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"it cannot be read (line {error.lineno})") from None
    if not isinstance(whole, dict) or set(whole) != {"certificate", "signature"}:
        raise ValueError("it does not consist of a certificate and a signature")
    body, signature = whole["certificate"], whole["signature"]
    if not isinstance(body, dict) or not isinstance(signature, str):
        raise ValueError("it does not consist of a certificate and a signature")
    school, account = body.get("school"), body.get("account")
    if not isinstance(school, dict) or not isinstance(school.get("public_key"), str):
        raise ValueError("it does not carry the school's public key")
    if not isinstance(account, dict) or type(account.get("id")) is not int:
        raise ValueError("it does not name an account")
    return body, signature


def _no_twins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Two values under one name would let one be signed and the other be read."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands in it twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not allowed in it")
