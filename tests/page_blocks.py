"""The fenced blocks of a page, and a reader who does what they say."""

import pathlib
import re
import shlex
import types

from vqzoo.cli.main import main

ROOT = pathlib.Path(__file__).parent.parent


def blocks(page):
    """Pairs of language and text of the fenced blocks of a page, in its order."""
    text = (ROOT / page).read_text("utf-8")
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def as_module(page, path):
    """The Python block of a page that begins with `# PATH`, as the module that it would be there."""
    (text,) = (text for _, text in blocks(page) if text.startswith(f"# {path}\n"))
    module = types.ModuleType(path.removesuffix(".py").replace("/", "."))
    exec(compile(text, path, "exec"), module.__dict__)
    return module


def follow(page):
    """Does all that a page says, in its order, in the working folder.

    Python blocks are executed, `vqzoo` commands in bash blocks run, and YAML blocks that begin with
    `# PATH` written to that file. Python blocks that begin so are left to `as_module`.

    Returns:
        dict of what the Python blocks have defined.
    """
    names = {}
    for language, text in blocks(page):
        if language == "python" and not text.startswith("# "):
            exec(compile(text, page, "exec"), names)
        elif language == "bash":
            for line in text.splitlines():
                program, *arguments = shlex.split(line, comments=True)
                assert program == "vqzoo" and main(arguments) == 0, line
        elif language == "yaml":
            path = pathlib.Path(text.splitlines()[0].removeprefix("# "))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return names
