"""What the commands about proof do: audit verify, audit verify-certificate."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from socialgov.errors import InvalidInput, StoreError
from socialgov.home import open_home


def verify(path: Path, checkpoint: Path | None) -> None:
    """Say whether the log is whole. StoreError, and so exit code 1, where it is not."""
    from socialgov.actions.log import audit_log

    home = open_home(path)
    report = audit_log(home, None, now=home.now(), mailed=None if checkpoint is None else _text(checkpoint))
    if report.fault is not None:
        raise StoreError(
            f"The log is not whole: {report.fault}.", "Keep the file as evidence, and restore the newest backup."
        )
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"The log is whole: {report.count} events, {report.checkpoints} checkpoints compared.")
    console.print(f"Last hash {report.head}")
    if checkpoint is None:
        console.print("Only a mailed checkpoint proves that no tail was cut off: --checkpoint FILE compares with one.")


def verify_certificate(file: Path, path: Path | None) -> None:
    """Say whether a certificate holds and who signed it. InvalidInput, and so exit code 1, where it does not."""
    from socialgov.actions.certificates import verify_certificate as check

    report = check(_text(file), None if path is None else open_home(path))
    if report.fault is not None:
        raise InvalidInput(report.fault, mend="Ask the school for the certificate again.")
    console, body = Console(highlight=False, soft_wrap=True), report.body or {}
    console.print("The certificate holds: it is as it was signed.")
    console.print(f"School: {escape(str(body.get('school', {}).get('name', '')))}")
    console.print(f"Fingerprint of its key: {report.fingerprint}")
    console.print(
        escape(report.home_says)
        if report.home_says
        else "Ask the school for its fingerprint: when it is the same, the certificate is the school's."
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(f"{file} cannot be read as text.", mend="Save the file again as it was sent.") from None
