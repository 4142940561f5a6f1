"""The recovery secret on three sheets of paper, of which any two are enough (SLIP-39)."""

from __future__ import annotations

from collections.abc import Sequence

from socialgov.errors import InvalidInput

NEEDED, SHEETS, WORDS = 2, 3, 33


def split_secret(secret: bytes) -> list[str]:
    """Three sheets of 33 words each; one alone tells nothing about the secret (32 bytes)."""
    from shamir_mnemonic import generate_mnemonics

    return generate_mnemonics(1, [(NEEDED, SHEETS)], secret)[0]


def join_shares(sheets: Sequence[str]) -> bytes:
    """The secret from two sheets. Raises InvalidInput with the sheet that cannot be read; quotes none of its words."""
    from shamir_mnemonic import MnemonicError, combine_mnemonics
    from shamir_mnemonic.share import Share
    from shamir_mnemonic.wordlist import WORD_INDEX_MAP

    tidy = [" ".join(sheet.lower().split()) for sheet in sheets]
    faults = {}
    for number, sheet in enumerate(tidy, 1):
        words = len(sheet.split())
        if words != WORDS:
            faults[f"sheet_{number}"] = f"A sheet has {WORDS} words; these are {words}."
            continue
        unknown = [str(place) for place, word in enumerate(sheet.split(), 1) if word not in WORD_INDEX_MAP]
        if unknown:
            faults[f"sheet_{number}"] = f"Not on any such sheet: word {', '.join(unknown)}. Look for a slip in typing."
            continue
        try:
            Share.from_mnemonic(sheet)
        except MnemonicError:
            faults[f"sheet_{number}"] = "A word is misread, or two are in the wrong order."
    if len(set(tidy)) < NEEDED and not faults:
        faults["sheet_2"] = "This is the same sheet again."
    if faults:
        raise InvalidInput("The sheets cannot be read.", faults, "Compare them word by word with the paper.")
    try:
        return combine_mnemonics(tidy)
    except MnemonicError:
        raise InvalidInput(
            "These sheets do not belong together.",
            {"sheet_2": "This sheet is of another set."},
            "Take one set's sheets.",
        ) from None
