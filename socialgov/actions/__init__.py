"""One function a verb: load facts, decide, then one guarded write with its event in one transaction."""
