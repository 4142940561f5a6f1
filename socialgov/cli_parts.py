"""What every part of the command line is made of: a group whose errors are one line, and options used everywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from socialgov.errors import SocialgovError

F = TypeVar("F", bound=Callable[..., Any])
DEBUG_VARIABLE = "SOCIALGOV_DEBUG"
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Group(click.Group):
    """A group whose commands end in one line and a mend, never in a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SocialgovError as error:
            _fail(error.message, error.mend, *getattr(error, "fields", {}).values())
        except click.Abort:
            click.echo(err=True)  # the question that was not answered stands in the line before
            _fail("A question was not answered, so nothing more was done.", "Answer it, or give a flag for it: --help.")
        except (click.ClickException, click.exceptions.Exit):
            raise
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of our output has gone, such as `| head`
            raise click.exceptions.Exit(1) from None
        except Exception as error:
            if os.environ.get(DEBUG_VARIABLE):
                raise
            _fail(
                f"Something unexpected happened ({type(error).__name__}), and nothing more was done.",
                f"Repeat it with {DEBUG_VARIABLE}=1 to see where, and report it.",
            )


def _fail(*sentences: str) -> None:
    text = " ".join(" ".join(sentence.split()) for sentence in sentences if sentence)
    click.echo(f"Error: {text}", err=True)
    raise click.exceptions.Exit(1)


def home_option(command: F) -> F:
    """`--home`: the school's folder, from SOCIALGOV_HOME or the current folder where it is not named."""
    return click.option(
        "--home",
        "home",
        type=FOLDER,
        envvar="SOCIALGOV_HOME",
        default=Path(),
        help="The school's folder. Default: $SOCIALGOV_HOME, else the current folder.",
    )(command)


def sheets_options(command: F) -> F:
    """`--sheets` and `--sheets-as`: where recovery sheets are written to be printed."""
    command = click.option(
        "--sheets-as",
        type=click.Choice(["html", "text"]),
        default="html",
        show_default=True,
        help="As pages for a browser to print, or as plain text.",
    )(command)
    return click.option(
        "--sheets",
        type=FOLDER,
        help="Where to write the recovery sheets, outside the home. Default: a folder beside it.",
    )(command)
