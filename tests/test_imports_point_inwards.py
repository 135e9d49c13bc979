"""Which module may know which: the floors of CONTRIBUTING.md, from the ground up, and no circles anywhere."""

import ast
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "cobot_oidc"
FLOORS = (
    "errors _lazy context events languages spaces settings_mistakes identity.user",
    "protocol",
    "issuers settings_checks settings_clients settings_table settings",
    "provider",
    "identity.stored identity.sessions identity.beginnings identity.ended_logins login.used_states",
    "installation sealing",
    "embed.frames cookies",
    "identity.vault identity.tokens identity.hints",
    "api identity.logout_marks identity.current identity.endings identity.grants identity.memberships embed.context",
    "urls failures guards",
    "login embed backchannel",
    "first_request extension configuration __init__",
    "testing",
    "cli",
)


def modules() -> dict[str, Path]:
    """Every module of the client by its name below the package; the stand-in is a house of its own."""
    found = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
    return {name: path for name, path in found.items() if not name.startswith("standin.")}


def imports(name: str, path: Path, names: set[str]) -> set[str]:
    """The modules of ours that a module imports: at its top, in a function, or for its annotations."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = name.split(".")[: -node.level]
            base = [*folder, *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                candidates = (".".join([*base, alias.name]), ".".join(base), ".".join([*base, "__init__"]))
                if base[:1] != ["standin"]:  # which only ``testing`` may use
                    found.add(next(candidate for candidate in candidates if candidate in names))
                else:
                    assert name.startswith("testing."), name
    return found - {name}


def floor_of(name: str) -> int:
    """The place in ``FLOORS`` that names the module, or else the folder that it is in."""
    places = {room: number for number, rooms in enumerate(FLOORS) for room in rooms.split()}
    return places[name] if name in places else places[name.split(".")[0]]


GRAPH = {name: imports(name, path, set(modules())) for name, path in modules().items()}
EMPTY = {f"{folder}.__init__" for folder in ("api", "backchannel", "embed", "identity", "login", "provider")}


@pytest.mark.parametrize("name", sorted(set(GRAPH) - EMPTY))
def test_a_module_imports_only_from_its_own_floor_and_those_below(name: str) -> None:
    above = {other for other in GRAPH[name] - EMPTY if floor_of(other) > floor_of(name)}

    assert not above


def test_no_module_imports_itself_by_way_of_others() -> None:
    order = list(TopologicalSorter(GRAPH).static_order())  # CycleError names the circle

    assert len(order) == len(GRAPH) > 40


def test_folders_without_a_floor_of_their_own_hold_no_code() -> None:
    for name in EMPTY:
        assert not GRAPH[name]


def test_contributing_names_the_same_floors() -> None:
    written = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    for rooms in FLOORS:
        assert f"| `{rooms}` |" in written


@pytest.mark.parametrize("package", ["__init__", "protocol.__init__"])
def test_type_checkers_and_programs_see_the_same_public_names(package: str) -> None:
    module = import_module(f"cobot_oidc.{package}".removesuffix(".__init__"))
    [block] = [node for node in ast.parse(modules()[package].read_text(encoding="utf-8")).body if is_for_types(node)]
    imported = {alias.name for node in ast.walk(block) if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert imported == set(module.__all__) == set(dir(module))


def is_for_types(node: ast.stmt) -> bool:
    """Whether this is ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
