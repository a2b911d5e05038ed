"""mkdocs hook: the pages that stand at the root of the repository, as pages of the site."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "RELEASE.md": "releasing.md",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages, with their links turned to where things are on the site."""
    for source, target in PAGES.items():
        content = (ROOT / source).read_text(encoding="utf-8").replace("](docs/", "](")
        for other, page in PAGES.items():
            content = content.replace(f"]({other}", f"]({page}")
        files.append(File.generated(config, target, content=content))
    return files
