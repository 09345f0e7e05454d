"""MkDocs hook: the site also shows pages that lie outside of `docs/`, each under its path there."""

import pathlib
import posixpath
import re

import jupytext
from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parent.parent
CARDS = sorted(path.parent.name for path in ROOT.glob("pretrained/*/README.md"))
ENTRIES = sorted(path.stem for path in ROOT.glob("zoo_configs/*.yaml"))
TUTORIALS = sorted(path.stem for path in ROOT.glob("tutorials/*.py"))


def on_config(config):
    """Fills the navigation's sections of what the checkout holds, so that no list names it twice."""
    found = {
        "Tutorials": [f"tutorials/{name}.md" for name in TUTORIALS],
        "Cards": [{name: f"pretrained/{name}/README.md"} for name in sorted({*CARDS, *ENTRIES})],
    }
    for item in config.nav:
        for title in found.keys() & item.keys():
            item[title] = found[title]
    return config


def on_files(files, config):
    """Adds README and CONTRIBUTING, the tutorials, and for each entry a card with its pictures and their authors."""

    def add(uri, **content):
        files.append(File.generated(config, uri, **content))

    for page in ("README.md", "CONTRIBUTING.md"):
        add(page, content=(ROOT / page).read_text("utf-8"))
    for name in TUTORIALS:
        notebook = jupytext.read(ROOT / "tutorials" / f"{name}.py")
        notebook.metadata = {}  # what a notebook program wants to know is no text
        add(f"tutorials/{name}.md", content=jupytext.writes(notebook, fmt="md"))
    for name in {*CARDS, *ENTRIES}:
        add(f"pretrained/{name}/README.md", content=card(name))
        folder = ROOT / "pretrained" / name
        for path in (*folder.glob("*.png"), *folder.glob("examples/*.csv")):
            add(path.relative_to(ROOT).as_posix(), abs_src_path=str(path))
    return files


def card(name):
    """Markdown of an entry's card, or that it has none, and the configuration behind it."""
    path, config = ROOT / "pretrained" / name / "README.md", ROOT / "zoo_configs" / f"{name}.yaml"
    text = f"No weights of {name} are published; `vqzoo train {name}` makes them."
    text = path.read_text("utf-8") if path.exists() else text
    if not text.startswith("#"):
        text = f"# {name}\n\n{text}"
    if config.exists():
        text += f"\n\n## Configuration\n\n```yaml\n{config.read_text('utf-8')}```\n"
    return text


def on_page_markdown(markdown, page, **_):
    """Turns links between files of the checkout into links between pages of the site."""
    uri = page.file.src_uri
    here = posixpath.dirname(uri if page.file.generated_by else f"docs/{uri}")

    def link(match):
        target = posixpath.normpath(posixpath.join(here, match[1])).removeprefix("docs/")
        target = re.sub(r"^(tutorials/.*)\.ipynb$", r"\1.md", target)
        return f"]({posixpath.relpath(target, posixpath.dirname(uri) or '.')}{match[2] or ''})"

    parts = re.split(r"(^```.*?^```$)", markdown, flags=re.DOTALL | re.MULTILINE)
    parts[::2] = [re.sub(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)]*)?\)", link, text) for text in parts[::2]]
    return "".join(parts)
