"""``python -m tools.public_api`` writes tests/public_api.txt: all that an app may rely on, a line for each thing.

Names, signatures and fields are read from the sources of what each package exports, as ``inspect`` writes the same
annotation in another way in each version of Python. No address and no computed value is in it.
"""

import ast
import inspect
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import blinker
import click
from flask import Flask

from cobot_oidc import APIError, CobotOIDC, ConfigurationError, LoginError, ProviderError, TokenError
from cobot_oidc.cli import cobot
from cobot_oidc.settings import IssuerSettings, ProviderSettings, Settings
from cobot_oidc.settings_table import rows
from cobot_oidc.standin.__main__ import main as standin
from cobot_oidc.testing import plugin

_ROOT = Path(__file__).parents[1]
FILE = _ROOT / "tests" / "public_api.txt"
PACKAGES = ("cobot_oidc", "cobot_oidc.protocol", "cobot_oidc.testing", "cobot_oidc.standin")

ERRORS = (ConfigurationError, ProviderError, TokenError, LoginError, APIError)

# What these hand out without exporting its class.
RETURNED = (
    ("cobot_oidc.guards", "Guard"),
    ("cobot_oidc.embed.context", "Embed"),
    ("cobot_oidc.api.space_tokens", "SpaceTokens"),
    ("cobot_oidc.protocol.keys", "Key"),
    ("cobot_oidc.standin.people", "Person"),
)

_SPECIAL = ("__init__", "__call__", "__enter__", "__iter__", "__len__", "__getitem__")  # what apps call without a name

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def text() -> str:
    """The whole file."""
    parts = {package: _package(package) for package in PACKAGES}
    parts |= {
        "What these hand out": (
            line for module, name in RETURNED for line in _class(getattr(import_module(module), name))
        ),
        "Codes of errors, with their HTTP status": _codes(),
        "Defaults of settings; CobotOIDCConfig has their types": _settings(),
        "Routes": _routes(),
        "Names in templates": _template_names(),
        "Templates that an app may override": _templates(),
        "Commands": _commands(),
        "Fixtures of the pytest plugin": _fixtures(),
        "Entry points, extras and versions of Python": _metadata(),
    }
    return "\n".join(f"# {title}\n" + "".join(f"{line}\n" for line in lines) for title, lines in parts.items())


def _package(name: str) -> Iterator[str]:
    package = import_module(name)
    for each in sorted(package.__all__):
        value = getattr(package, each)
        if name != PACKAGES[0] and each in import_module(PACKAGES[0]).__all__:
            yield f"{each}: that of {PACKAGES[0]}"
            continue
        kind = type(value)  # ``isinstance`` would ask what stands behind a proxy
        if issubclass(kind, type):
            yield from _class(value)
        elif issubclass(kind, FunctionType):
            yield from _signatures(_definitions(_tree(value.__module__).body, each), each)
        elif issubclass(kind, blinker.NamedSignal):
            yield f"{each}: signal {value.name!r}"
        else:
            yield f"{each}: {kind.__name__}"


def _returned() -> Iterator[str]:
    for module, name in RETURNED:
        yield from _class(getattr(import_module(module), name))


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(import_module(module)))


def _definitions(body: Iterable[ast.stmt], name: str) -> list[_Function]:
    """A function, or its overloads in place of what stands behind them."""
    found = [node for node in body if isinstance(node, _Function) and node.name == name]
    return [node for node in found if "overload" in map(ast.unparse, node.decorator_list)] or found


def _signatures(definitions: Iterable[_Function], name: str) -> Iterator[str]:
    for node in definitions:
        result = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
        start = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
        yield f"{start}{name}({ast.unparse(node.args)}){result}"


def _class(cls: type) -> Iterator[str]:
    """The class, and what it and its bases of ours offer; what several have is the nearest's."""
    node = _class_node(cls)
    bases = ", ".join(map(ast.unparse, [*node.bases, *node.keywords]))
    decorators = "".join(f"@{ast.unparse(each)} " for each in node.decorator_list)
    yield f"{decorators}class {cls.__name__}" + (f"({bases})" if bases else "")
    members: dict[str, list[str]] = {}
    for each in cls.__mro__:
        if each.__module__.startswith("cobot_oidc"):
            for name, lines in _members(_class_node(each).body).items():
                members.setdefault(name, lines)
    for lines in (members[name] for name in sorted(members)):
        yield from (f"  {cls.__name__}.{line}" for line in lines)


def _class_node(cls: type) -> ast.ClassDef:
    classes = [node for node in _tree(cls.__module__).body if isinstance(node, ast.ClassDef)]
    [node] = [node for node in classes if node.name == cls.__name__]
    return node


def _members(body: list[ast.stmt]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            default = f" = {ast.unparse(node.value)}" if node.value is not None else ""
            found[node.target.id] = [f"{node.target.id}: {ast.unparse(node.annotation)}{default}"]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            found |= {name: [f"{name} = {ast.unparse(node.value)}"] for name in names}
        elif isinstance(node, _Function):
            decorators = set(map(ast.unparse, node.decorator_list))
            lines = list(_signatures(_definitions(body, node.name), node.name))
            if "property" in decorators:
                lines = [f"{node.name}: {ast.unparse(node.returns)}, a property" if node.returns else node.name]
            found[node.name] = lines
            if node.name == "__init__":
                found |= _attributes(node)
    return {name: lines for name, lines in found.items() if not name.startswith("_") or name in _SPECIAL}


def _attributes(initializer: ast.AST) -> dict[str, list[str]]:
    """What a class without fields sets on itself."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(initializer):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name("self"), attr=name)]):
                found[name] = [f"{name}, an attribute"]
            case ast.AnnAssign(target=ast.Attribute(value=ast.Name("self"), attr=name), annotation=annotation):
                found[name] = [f"{name}: {ast.unparse(annotation)}, an attribute"]
    return found


def _codes() -> Iterator[str]:
    for kind in ERRORS:
        for code, entry in sorted(kind.entries.items()):
            yield f"{kind.__name__} {code} {entry.status or kind.default_status}"


def _settings() -> Iterator[str]:
    for group in (IssuerSettings, Settings, ProviderSettings):
        for row in rows(group):
            yield f"{row.key} = {row.shown or _shown(row.default)}"


def _shown(default: object) -> str:
    """A set in order, and a mapping of whatever kind as a dictionary."""
    if isinstance(default, frozenset):
        return repr(sorted(default))
    return repr(dict(default)) if isinstance(default, Mapping) else repr(default)


def _app() -> Flask:
    app = Flask("portal")
    app.config.update(SECRET_KEY="k" * 32, COBOT_OIDC_CLIENT_ID="portal", COBOT_OIDC_EMBEDDED=True)
    CobotOIDC(app)
    return app


def _routes() -> Iterator[str]:
    for rule in sorted(_app().url_map.iter_rules(), key=lambda rule: (rule.endpoint, rule.rule)):
        if rule.endpoint.startswith("cobot_oidc."):
            methods = " ".join(sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"}))
            yield f"{rule.endpoint}: {methods} {rule.rule}"


def _template_names() -> Iterator[str]:
    app = _app()
    names: dict[str, Any] = {}
    with app.test_request_context():
        app.update_template_context(names)
    yield from sorted(set(names) - {"config", "request", "session", "g"})


def _templates() -> Iterator[str]:
    folder = _ROOT / "cobot_oidc" / "templates"
    yield from sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html"))


def _commands() -> Iterator[str]:
    context = click.Context(cobot)
    for name in cobot.list_commands(context):
        if (command := cobot.get_command(context, name)) is not None:
            yield from _command(f"flask cobot {name}", command)
    yield from _command("python -m cobot_oidc.standin", standin)


def _command(name: str, command: click.Command) -> Iterator[str]:
    yield name
    for each in command.params:
        yield f"  {name} " + (" ".join(each.opts) if isinstance(each, click.Option) else str(each.metavar or each.name))


def _fixtures() -> Iterator[str]:
    yield from sorted(name for name in _fixture_names(plugin) if not name.startswith("_"))


def _fixture_names(module: ModuleType) -> Iterator[str]:
    for node in _tree(module.__name__).body:
        if isinstance(node, ast.FunctionDef) and any("fixture" in ast.unparse(each) for each in node.decorator_list):
            yield node.name


def _metadata() -> Iterator[str]:
    project: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for group, points in sorted(project["entry-points"].items()):
        yield from (f"{group}: {name} = {place}" for name, place in sorted(points.items()))
    yield from (f"extra {name}" for name in sorted(project["optional-dependencies"]))
    yield f"Python {project['requires-python']}"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
