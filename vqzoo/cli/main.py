"""`vqzoo`: picks the command, turns errors into one line and an exit code."""

import argparse
import importlib
import logging
import os
import sys
import traceback
import warnings

from absl.flags import argparse_flags

import vqzoo
from vqzoo.cli.arguments import UsageError

COMMANDS = (
    "list",
    "describe",
    "sample",
    "reconstruct",
    "complete",
    "encode",
    "decode",
    "train",
    "evaluate",
    "grid",
    "export",
    "verify",
)
WRONG_USE, FAILURE = 2, 1
"""Exit codes; 0 is success."""


class Parser(argparse_flags.ArgumentParser):
    """Argument parser whose errors are one line.

    It is absl's, so that the flags of libraries count as parsed: they refuse to be read before.
    """

    def error(self, message):
        self.exit(WRONG_USE, f"{self.prog}: error: {message} (try {self.prog} --help)\n")


def main(argv=None):
    """Runs one command.

    Args:
        argv: list of str, the arguments after `vqzoo`; those of the process if None.

    Returns:
        int exit code: 0, 1 for a failure, 2 for wrong use. `--help` raises `SystemExit`.
    """
    try:
        arguments = _parse(sys.argv[1:] if argv is None else argv)
    except SystemExit as end:
        return end.code
    if not arguments.debug:
        hide_chatter()
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except UsageError as error:
        return _report(arguments, error, WRONG_USE)
    except KeyboardInterrupt:
        sys.stderr.write(f"\nvqzoo {arguments.command}: interrupted\n")
        return 130  # what shells report for a process that ctrl-c ended
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader, such as `head`, has left
    except Exception as error:  # whatever it is, a user gets one line, and more with --debug
        return _report(arguments, error, FAILURE)
    return 0


def _parse(argv):
    parser = make_parser()
    # `parse_args` would report unknown options in the name of `vqzoo`, whose --help has none.
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        parser.prog = f"vqzoo {arguments.command}"  # whose --help lists what there is
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return arguments


def make_parser():
    """The parser of all commands; reading it imports nothing heavy."""
    parser = Parser(prog="vqzoo", description="A zoo of VQ-VAE image models: vqzoo COMMAND --help.")
    parser.add_argument("--version", action="version", version=f"vqzoo {vqzoo.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"vqzoo.cli.{name}")
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.add_argument("--debug", action="store_true", help="show tracebacks and all logs")
        command.set_defaults(run=module.run)
    return parser


def hide_chatter():
    """Silences what TensorFlow logs when it starts, before its import, and Pillow's warning."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.filterwarnings("ignore", "Image size .* exceeds limit")  # of Pillow: we check sizes
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _report(arguments, error, code):
    if arguments.debug:
        traceback.print_exception(error)
    # What we raise ourselves says what is wrong; of anything else the type is half of the message.
    known = isinstance(error, (UsageError, ValueError, OSError, FloatingPointError))
    message = " ".join(str(error).split()) or type(error).__name__
    if not known:
        message = f"{type(error).__name__}: {message} (--debug shows where)"
    sys.stderr.write(f"vqzoo {arguments.command}: error: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
