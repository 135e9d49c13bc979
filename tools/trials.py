"""Whether a test notices that a module is spoilt: how ``tools.mutants`` tries each mutant.

This process collects the tests once and notes which of them call which function of ours. A trial is a fork of it. If
only the body of a function is spoilt, the fork gives the function its spoilt code and runs the tests that call it.
Otherwise, and if the function was called before the first test, the fork imports everything anew and runs every test.
"""

import ast
import gc
import os
import pickle
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from functools import _lru_cache_wrapper as _Cache
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from inspect import CO_OPTIMIZED
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple, NoReturn

import hypothesis
import pytest

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests" / "protocol"
NEAREST = 5  # files of tests that a fork which imports everything tries one by one, and the others together

# Seconds of a processor, which a busy machine does not use up: a mutant that takes more hangs, and was noticed.
SPARE_SECONDS = 10
MOST_TIMES_SLOWER = 5

_OPTIONS = (
    *("-x", "-s", "-qq", "--no-header", "--no-summary", "--assert=plain", "-p", "no:cacheprovider"),
    "--override-ini=filterwarnings=",  # what a mutant does is no matter of style
    "--noconftest",  # which imports Flask and the whole package, and these tests need neither
)

_Called = tuple[str, str]  # a file, and the name of a function in it


class Verdict(IntEnum):
    """The exit status of a trial; a higher one tells which file of tests noticed (``_NOTICED_BY``)."""

    SURVIVED = 0
    KILLED = 1
    BROKEN = 2  # cannot even be imported: no test was needed to notice


_MISTAKE = 3  # of ours
_NOTICED_BY = 10  # and the number of the file


class Spoilt(NamedTuple):
    """A module with one change."""

    file: Path
    tree: ast.Module

    @property
    def module(self) -> str:
        """Its name, as it is imported."""
        return ".".join(self.file.relative_to(ROOT).with_suffix("").parts)


class _Seen(NamedTuple):
    """What running one test told."""

    seconds: float
    called: frozenset[_Called]


class Trials:
    """Tries mutants; a plugin of pytest, which has the tests."""

    def __init__(self, files: Sequence[Path], work: Callable[["Trials"], int]) -> None:
        self._files = frozenset(map(str, files))
        self._work = work
        self._called: set[_Called] = set()
        self._called_early: frozenset[_Called] = frozenset()
        self._functions: list[FunctionType] = []
        self._items: list[pytest.Item] = []
        self._seen: list[_Seen] = []
        self._tests: list[Path] = []
        self._noticed: Counter[tuple[Path, Path]] = Counter()  # how often a file of tests noticed a mutant of a module
        self.result = 2

    @classmethod
    def hold(cls, files: Sequence[Path], work: Callable[["Trials"], int]) -> int:
        """Collect the tests, and then do what is given.

        :param files: of all modules that may be spoilt.
        :returns: what ``work`` returned; 2 if the tests fail without any mutant.
        """
        # Each trial has the same examples, and none fails because the machine is busy.
        quiet = {"database": None, "deadline": None, "suppress_health_check": list(hypothesis.HealthCheck)}
        hypothesis.settings.register_profile("trials", derandomize=True, **quiet)  # type: ignore[arg-type]
        hypothesis.settings.load_profile("trials")
        trials = cls(files, work)
        sys.setprofile(trials._note)
        pytest.main([*_OPTIONS, str(TESTS)], plugins=[trials])
        return trials.result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Work instead of running the tests."""
        sys.setprofile(None)
        self._called_early = frozenset(self._called)
        self._items = session.items
        self._tests = sorted({item.path for item in session.items})
        import_module("tests.protocol.tokens").rsa_key()  # is kept, and takes longer to make than most trials
        self._functions = [
            found
            for found in gc.get_objects()
            if isinstance(found, FunctionType) and found.__code__.co_filename in self._files
        ]
        if self._learn():
            gc.freeze()  # forks then copy less
            self.result = self._work(self)
        return True

    def verdicts(self, mutants: Sequence[Spoilt], jobs: int) -> list[Verdict]:
        """Try these, so many at once."""
        verdicts = [Verdict.KILLED] * len(mutants)
        running: dict[int, int] = {}

        def wait() -> None:
            child, status = os.wait()
            code = os.waitstatus_to_exitcode(status)  # negative if it was ended by a signal
            if code == _MISTAKE:
                raise RuntimeError(f"This mutant could not be tried: {mutants[running[child]]}")
            number = running.pop(child)
            if code >= _NOTICED_BY:
                self._noticed[mutants[number].file, self._tests[code - _NOTICED_BY]] += 1
            verdicts[number] = Verdict(code) if code in tuple(Verdict) else Verdict.KILLED

        for number, mutant in enumerate(mutants):
            if len(running) == jobs:
                wait()
            child = os.fork()
            if child == 0:
                self._try(mutant)
            running[child] = number
        while running:
            wait()
        return verdicts

    def _note(self, frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename in self._files:
            self._called.add((code.co_filename, _outermost(code.co_qualname)))

    def _learn(self) -> bool:
        """Run each test once, in a fork, so that this process stays as it was."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(list(self._each_test_alone()), pipe)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        self._seen = pickle.loads(told) if told else []  # noqa: S301 - our own
        if len(self._seen) < len(self._items):
            failed = self._items[len(self._seen)].nodeid
            print(f"The tests fail without any mutant: {failed}", flush=True)
            return False
        return True

    def _each_test_alone(self) -> Iterator[_Seen]:
        _be_quiet()
        caches = [found for found in gc.get_objects() if isinstance(found, _Cache) and _is_of_ours(found)]
        for item in self._items:
            for cache in caches:  # or only the first test would be seen to call what is behind it
                cache.cache_clear()
            self._called.clear()
            sys.setprofile(self._note)
            before = time.process_time()
            failed = _fails([item])
            sys.setprofile(None)
            if failed:
                return
            yield _Seen(time.process_time() - before, frozenset(self._called))

    def _try(self, mutant: Spoilt) -> NoReturn:
        status = _MISTAKE
        told = os.dup(2)
        try:
            _be_quiet()
            function = _changed_function(mutant)
            if function is None or (str(mutant.file), _outermost(function.co_qualname)) in self._called_early:
                status = self._try_anew(mutant)
            else:
                status = self._try_here(mutant, function)
        except BaseException:
            os.write(told, traceback.format_exc().encode())
        finally:
            os._exit(status)

    def _try_here(self, mutant: Spoilt, function: CodeType) -> Verdict:
        called = str(mutant.file), _outermost(function.co_qualname)
        own = f"test_{mutant.file.stem}.py"
        callers = [(item, seen) for item, seen in zip(self._items, self._seen, strict=True) if called in seen.called]
        callers.sort(key=lambda caller: (caller[0].path.name != own, caller[1].seconds))
        _limit(sum(seen.seconds for _, seen in callers))
        for live in self._functions:
            if _is_same_place(live.__code__, function, mutant.file):
                live.__code__ = function
        return Verdict(_fails([item for item, _ in callers]))

    def _try_anew(self, mutant: Spoilt) -> int:
        _limit(sum(seen.seconds for seen in self._seen))
        for name in [name for name in sys.modules if name.partition(".")[0] in ("cobot_oidc", "tests")]:
            del sys.modules[name]
        sys.meta_path.insert(0, _Finder(mutant))
        try:
            import_module(mutant.module)
            import_module("cobot_oidc")
        except BaseException:
            return Verdict.BROKEN
        files = self._nearest_first(mutant)
        for file in files[:NEAREST]:
            if pytest.main([*_OPTIONS, str(file)]):
                return _NOTICED_BY + self._tests.index(file)
        return Verdict.KILLED if pytest.main([*_OPTIONS, *map(str, files[NEAREST:])]) else Verdict.SURVIVED

    def _nearest_first(self, mutant: Spoilt) -> list[Path]:
        """The files of tests: those that noticed most, the module's own, then those of which most tests call it."""
        shares: dict[Path, list[bool]] = {}
        for item, seen in zip(self._items, self._seen, strict=True):
            shares.setdefault(item.path, []).append(any(file == str(mutant.file) for file, _ in seen.called))
        own = f"test_{mutant.file.stem}.py"

        def place(path: Path) -> tuple[int, bool, float]:
            return -self._noticed[mutant.file, path], path.name != own, -sum(shares[path]) / len(shares[path])

        return sorted(shares, key=place)


class _Finder(MetaPathFinder, Loader):
    """Gives the spoilt module to whoever imports it."""

    def __init__(self, mutant: Spoilt) -> None:
        self._mutant = mutant

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._mutant.module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.tree, str(self._mutant.file), "exec"), module.__dict__)  # noqa: S102 - our own code


def _changed_function(mutant: Spoilt) -> CodeType | None:
    """The code of the one function that differs from what it was; ``None`` if anything around functions does."""
    before = list(_bodies(compile(mutant.file.read_text(), str(mutant.file), "exec")))
    after = list(_bodies(compile(mutant.tree, str(mutant.file), "exec")))
    if len(before) != len(after):
        return None
    # A function whose variables from around it change, such as the one of ``super()``, cannot be given its new code.
    changed = [(old, new) for old, new in zip(before, after, strict=True) if _said(old) != _said(new)]
    if len(changed) != 1:
        return None
    [(old, new)] = changed
    return new if _is_function(new) and old.co_freevars == new.co_freevars else None


def _bodies(code: CodeType) -> Iterator[CodeType]:
    """A module, and the classes and functions in it, without what is in functions."""
    yield code
    if not _is_function(code):
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from _bodies(constant)


def _is_function(code: CodeType) -> bool:
    return bool(code.co_flags & CO_OPTIMIZED)  # its variables have numbers, unlike those of a module or class


def _said(code: CodeType) -> object:
    """What the code does. What is inside a class or module is compared by itself."""
    if _is_function(code):
        return code
    constants = [repr(constant) for constant in code.co_consts if not isinstance(constant, CodeType)]
    return code.co_code, constants, code.co_names


def _is_same_place(live: CodeType, spoilt: CodeType, file: Path) -> bool:
    here = spoilt.co_qualname, spoilt.co_firstlineno
    return live.co_filename == str(file) and (live.co_qualname, live.co_firstlineno) == here


def _outermost(name: str) -> str:
    return name.partition(".<locals>")[0]


def _fails(items: Sequence[pytest.Item]) -> bool:
    """Whether one of these tests fails."""
    for item, following in zip_longest(items, items[1:]):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed:
            return True
    return False


def _limit(seconds: float) -> None:
    most = int(SPARE_SECONDS + MOST_TIMES_SLOWER * seconds)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))


def _is_of_ours(cache: "_Cache[object]") -> bool:
    """Whether what is kept is a result of ours, or depends on one: the tests' keys do not, and are dear."""
    return cache.__module__.startswith(("cobot_oidc.", "tests.protocol.test_"))


def _be_quiet() -> None:
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
