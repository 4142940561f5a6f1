"""An application knows some 280 routes and compiles a builder of addresses for each; a test makes an application and
builds three. Here a builder is compiled when it is first used, which spares the suite half a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_compile_now = Rule._compile_builder


def _compile_later(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
    compiled: list[Callable[..., Any]] = []

    def build(rule: Rule, /, **values: Any) -> Any:
        if not compiled:
            compiled.append(_compile_now(rule, append_unknown))
        return compiled[0](rule, **values)

    return build


Rule._compile_builder = _compile_later  # type: ignore[method-assign]
