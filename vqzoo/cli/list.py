"""`vqzoo list`: the entries of the zoo."""

from vqzoo import config as configs
from vqzoo import zoo

HELP = "The entries, and which have weights."
EXAMPLE = "vqzoo list 'vqvae*' --pretrained"


def add_arguments(parser):
    """Adds the arguments of `vqzoo list`."""
    parser.add_argument("pattern", nargs="?", default="*", help="names to list, such as 'vqvae*'")
    parser.add_argument("--pretrained", action="store_true", help="only those with weights")


def run(arguments):
    """Prints the entries whose names fit a pattern, one a line; imports nothing heavy.

    Raises:
        ValueError: if none does.
    """
    names = zoo.list_models(arguments.pattern, pretrained=arguments.pretrained or None)
    if not names:
        raise ValueError(f"no entry is called {arguments.pattern!r}")
    width = max(map(len, names))
    for name in names:
        data = configs.read_config(name)["data"]
        size = "x".join(map(str, data["image_shape"]))
        weights = "weights" if zoo.is_pretrained(name) else "no weights"
        weights = "tokenizer only" if zoo.is_tokenizer_only(name) else weights
        print(f"{name:{width}}  {weights:14}  {data.get('name', '-')} {size}")
