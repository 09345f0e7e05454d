"""The package as a whole: what may import what, what is public, what the pages say."""

import ast
import configparser
import pathlib
import re
import subprocess
import sys
from argparse import SUPPRESS

import pytest

import vqzoo
from vqzoo.cli import main

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "vqzoo"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

ORDER = [
    "files", "progress", "checks", "latents", "layers", "networks", "likelihoods", "sampling",
    "priors", "models",
    "signature_checks", "config", "manifest", "downloads", "weights", "inputs", "classifier", "in_memory", "data", "export", "zoo_model", "zoo",
    "evaluation", "training", "grid", "cli",
]  # fmt: skip
"""Parts of the package; each may import those before it."""

TENSORFLOW = {
    "data/tfds_source.py",
    "evaluation/tflite_network.py",
    "export/saved_model.py",
    "export/signatures.py",
    "layers/replicas.py",
    "likelihoods/bernoulli.py",
    "likelihoods/categorical.py",
    "likelihoods/dequantized_normal.py",
    "likelihoods/discretized_normal.py",
    "likelihoods/tfp_distributions.py",
    "sampling/compile.py",
    "training/devices.py",
}
"""Modules that may import TensorFlow or what stands on it; all others run without."""


def imports(module):
    """Full names of what a module imports, and whether it does so when it is imported itself."""
    tree = ast.parse((PACKAGE / module).read_text())
    lazy = {
        child
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for child in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node not in lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            yield from ((f"{node.module}.{alias.name}", node not in lazy) for alias in node.names)


@pytest.mark.parametrize("module", [module for module in MODULES if module != "__init__.py"])
def test_imports_go_one_way(module):
    own = module.split("/")[0].removesuffix(".py")
    assert own in ORDER, f"where does {own} stand in ORDER?"
    for name, _ in imports(module):
        parts = name.split(".")
        if parts[0] == "vqzoo" and len(parts) > 1 and parts[1] not in (own, "__version__"):
            assert ORDER.index(parts[1]) < ORDER.index(own), f"{module} imports {name}"


@pytest.mark.parametrize("module", MODULES)
def test_tensorflow_is_imported_in_few_places(module):
    found = [name for name, _ in imports(module) if name.startswith("tensorflow")]
    assert not found or module in TENSORFLOW, f"{module} imports {found}"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_in_one_line_what_it_is(module):
    first = (ast.get_docstring(ast.parse((PACKAGE / module).read_text())) or "").split("\n")[0]
    assert first.endswith("."), f"{module} begins with {first!r}"


def test_the_sampler_knows_no_network():
    sampling = [module for module in MODULES if module.startswith("sampling/")]
    names = {name for module in sampling for name, _ in imports(module)}
    assert not [name for name in names if name.startswith(("vqzoo.networks", "vqzoo.priors"))]


def test_the_public_surface():
    assert vqzoo.__all__ == sorted(vqzoo.__all__)
    assert vqzoo.__all__ == ["ZooModel", "create", "describe", "list_models", "load", "train"]
    for name in vqzoo.__all__:
        assert getattr(vqzoo, name).__doc__, name
    assert set(vqzoo.__all__) <= set(dir(vqzoo))
    with pytest.raises(AttributeError, match="'vqzoo' has no attribute 'lod'"):
        vqzoo.lod  # noqa: B018
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert setup["metadata"]["version"] in (vqzoo.__version__, "attr: vqzoo.__version__")


def test_the_wheel_has_every_package():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = set(setup["options"]["packages"].split())
    found = {f"vqzoo.{m.removesuffix('/__init__.py').replace('/', '.')}" for m in MODULES
             if m.endswith("/__init__.py")}  # fmt: skip
    assert listed == found | {"vqzoo", "vqzoo.zoo_configs", "vqzoo.pretrained"}


@pytest.mark.parametrize("arguments", [["list"], ["describe", "vqvae_fashion_mnist"], ["--help"]])
def test_quick_commands_import_nothing_heavy(arguments):
    code = (
        "import sys; from vqzoo.cli.main import main; main(sys.argv[1:]);"
        "print([m for m in ('tensorflow', 'keras', 'jax', 'grain', 'h5py', 'PIL')"
        " if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_links_of_pages_lead_somewhere(page):
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)", prose):
        if not re.match(r"\w+:", target):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_has_its_chapter(command):
    text = (ROOT / "docs" / "commands.md").read_text()
    example = __import__(f"vqzoo.cli.{command}", fromlist=["EXAMPLE"]).EXAMPLE
    chapter = text.split(f"## vqzoo {command}\n")[1].split("\n## ")[0]
    assert example in chapter
    parser = main.make_parser()._subparsers._group_actions[0].choices[command]
    for action in parser._actions:
        for option in action.option_strings[-1:]:
            common = option.lstrip("-").startswith(("help", "debug")) or action.help == SUPPRESS
            assert common or f"`{option}" in chapter, f"{option} is not explained"
