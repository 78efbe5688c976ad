"""The mkdocs plugin `labs`: mkdocs-jupyter with its page source replaced."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.config import config_options
from mkdocs_jupyter.plugin import Plugin

from .labs import execute, markdown
from .links import current_page
from .plan import plan
from .project import Project
from .prove import all_claims, proof
from .publish import sources
from .sources import write_sources

_log = logging.getLogger("mkdocs.plugins.labs")


class LabsPlugin(Plugin):
    """mkdocs-jupyter with its page source replaced: the executed notebook as Markdown."""

    config_scheme = (
        *(option for option in Plugin.config_scheme if option[0] not in ("include", "include_source")),
        ("include", config_options.Type(list, default=["*_lab.py"])),
        ("include_source", config_options.Type(bool, default=True)),
    )

    def on_config(self, config: Any) -> Any:
        """The project is the folder of mkdocs.yml."""
        root = Path(config.config_file_path).resolve().parent
        self.project = Project(root)
        config.mdx_configs.setdefault("notesite.extension", {}).setdefault("root", str(root))
        return config

    def on_startup(self, *, command: str, dirty: bool) -> None:
        """Note whether this is `mkdocs serve`, which no check goes before."""
        del dirty
        self.is_serving = command == "serve"

    def on_pre_build(self, config: Any) -> None:
        """Look for published values anew; `mkdocs serve` warns of what would stop a build."""
        super().on_pre_build(config)
        sources.cache_clear()
        for fault in plan(self.project).faults if self.is_serving else ():
            _log.warning(fault)

    def should_include(self, file: Any) -> bool:
        """Whether a file is a lab; by its name alone, where mkdocs-jupyter would parse every Markdown page."""
        path = file.abs_src_path
        return path is not None and any(Path(path).match(pattern) for pattern in self.config["include"])

    def on_env(self, env: Any, config: Any, files: Any) -> Any:
        """Leave out the lines that hold only the theme's template tags: a tenth of each page."""
        del config, files
        env.trim_blocks = env.lstrip_blocks = True
        return env

    def on_page_read_source(self, page: Any, config: Any) -> str | None:
        """Execute a lab, or take the kept result; other pages are read as ever."""
        del config
        if not self.should_include(page.file):
            return None
        lab = Path(page.file.abs_src_path)
        executed = nbformat.reads(
            execute(lab, project=self.project).read_text(encoding="utf-8"), as_version=4
        )
        return markdown(executed, lab.stem)

    def on_page_markdown(self, markdown: str, page: Any, config: Any, files: Any) -> str:
        """Tell the Markdown extension which page it renders, for links and messages."""
        del config, files
        current_page.set(page.file.src_uri)
        return markdown

    def on_pre_page(self, page: Any, config: Any, files: Any) -> Any:
        """Keep only the download address of what mkdocs-jupyter does here."""
        del config, files
        if self.should_include(page.file):
            self._set_nb_url(page)
        return page

    def on_post_page(self, output_content: str, page: Any, config: Any) -> None:
        """Put the executed notebook beside the script."""
        super().on_post_page(output_content, page, config)
        if self.should_include(page.file):
            lab = Path(page.file.abs_src_path)
            notebook = json.loads(execute(lab, project=self.project).read_text(encoding="utf-8"))
            target = Path(page.file.abs_dest_path).parent / f"{lab.stem}.ipynb"
            target.write_text(json.dumps(notebook, indent=1), encoding="utf-8")

    def on_post_build(self, config: Any) -> None:
        """Add the sources that badges and blocks link to, and the record of what they showed."""
        site = Path(config.site_dir)
        write_sources(self.project, site)
        proofs = {
            claim: proof(tests, project=self.project) for claim, tests in all_claims(self.project).items()
        }
        (site / "claims.json").write_text(json.dumps(proofs, indent=1), encoding="utf-8")
