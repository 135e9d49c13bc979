"""Sphinx's configuration: ``make site`` builds build/site. What is done to the pages is in tools/site.py."""

import re
import sys
import tomllib
from pathlib import Path

from pygments.lexers.configs import IniLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import cobot_oidc  # noqa: E402
from cobot_oidc import extension  # noqa: E402
from cobot_oidc.api.space_tokens import SpaceTokens  # noqa: E402
from cobot_oidc.embed.context import Embed  # noqa: E402
from tools import site  # noqa: E402

project = "cobot_oidc"
project_copyright = "2026 the cobot_oidc maintainers"  # as in LICENSE
version = release = cobot_oidc.__version__
html_title = f"cobot_oidc {version}"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["pictures"]
myst_heading_anchors = 4  # as code hosts name them

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
nitpick_ignore_regex = [
    # Other projects' names: the build asks nobody else, so it cannot link to their documentation.
    (r"py:.*", r"(flask|werkzeug|blinker|collections|pathlib|typing|datetime|re|types)\b.*"),
    (r"py:class", r"Namespace|P|cobot_oidc\.(guards\.(R|Guard)|extension\.Hook)"),  # of a signature, not to be imported
    (r"py:class", r"cobot_oidc\.spaces\.(ViewArgument|HostLabel)"),  # what CobotOIDC(space=...) takes
    (
        r"py:class",
        r"cobot_oidc\.standin\.(browser|keys|people|state|world)\..*",
    ),  # docs/standin.md shows what tests need
]

extension.Embed, extension.SpaceTokens = Embed, SpaceTokens  # type: ignore[attr-defined] # as type checkers see it

pygments_dark_style = "a11y-high-contrast-dark"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "../example_app/static/mark.svg"
html_copy_source = False
html_show_sphinx = False


def _colours() -> list[dict[str, str]]:
    """Our own pages' colours, light and dark, as Furo's variables."""
    styles = (ROOT / "cobot_oidc" / "static" / "pages.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (.+);", block)) for block in re.findall(r":root \{(.*?)\}", styles, re.S)[:2]
    )
    names = {
        "font-stack": "font",
        "color-brand-primary": "accent",
        "color-brand-content": "accent",
        "color-brand-visited": "accent",
        "color-background-primary": "card",
        "color-background-secondary": "paper",
        "color-background-border": "edge",
        "color-background-hover": "tint",
        "color-background-hover--transparent": "card",
        "color-foreground-primary": "ink",
        "color-foreground-secondary": "soft",
        "color-foreground-muted": "soft",
        "color-foreground-border": "control",
        "color-code-background": "paper",
        "color-inline-code-background": "paper",
        "color-highlight-on-target": "tint",
        "color-api-background": "paper",
        "color-api-name": "accent",
        "color-api-pre-name": "soft",
        "color-sidebar-link-text--top-level": "ink",
        "color-sidebar-item-background--hover": "tint",
    }
    return [{name: own[ours] for name, ours in names.items()} for own in (light, light | dark)]


_light, _dark = _colours()
html_theme_options = {
    "light_css_variables": _light,
    "dark_css_variables": _dark,
}


def setup(app: Sphinx) -> None:
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("urls", {})
    repository = f"{urls['Repository']}/blob/main" if "Repository" in urls else None

    def read(app: Sphinx, page: str, source: list[str]) -> None:
        text = source[0]
        if page in site.SHOWN:
            text = (ROOT / site.SHOWN[page]).read_text(encoding="utf-8")
        if app.env.doc2path(page).suffix != ".md":
            return
        text = site.in_the_site(text, page, repository)
        if page == "index":
            text += site.toctrees(site.navigation(text, app.env.found_docs))
        source[0] = text

    def level_captions(_app: Sphinx, _page: str, _template: str, context: dict[str, str], _doctree: object) -> None:
        """The navigation's captions are headings without a level, which screen readers need."""
        tree = context.get("furo_navigation_tree", "")
        context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')

    app.connect("source-read", read)
    app.connect("html-page-context", level_captions, priority=900)
    app.add_lexer("dotenv", IniLexer)
