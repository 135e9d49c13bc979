"""What the table of settings is made of: each row says a setting's key, default, check and description once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, NamedTuple, TypeVar, cast

from .errors import ConfigurationError
from .settings_checks import Check, Unfit
from .settings_mistakes import PREFIX, kind, remedy_for_missing

T = TypeVar("T")


class Required:
    """Stands for the default of a required setting, which has none."""

    shown = "required"


@dataclass(frozen=True, slots=True)
class Following(Generic[T]):
    """A default that depends on the settings before it in the table."""

    follow: Callable[[Mapping[str, Any]], T]
    shown: str


class Row(NamedTuple):
    """One setting of the table.

    :ivar name: the name of the attribute; the key is the prefix and this name in capitals.
    :ivar check: reads and checks the value.
    :ivar default: the value if the app does not set one.
    :ivar about: the description in the documentation.
    :ivar shown: the default as the documentation shows it, if that differs from its value.
    :ivar is_secret: whether the value must not appear in messages.
    """

    name: str
    check: Check[Any]
    default: Any
    about: str
    shown: str | None
    is_secret: bool

    @property
    def key(self) -> str:
        return PREFIX + self.name.upper()

    def read(self, config: Mapping[str, Any], before: Mapping[str, Any]) -> Any:
        """The value in the form that the app uses.

        :param before: the values of the rows before this one.
        :raises ConfigurationError: ``setting_missing`` or ``setting_invalid``.
        """
        is_required = isinstance(self.default, Required)
        if self.key not in config or (config[self.key] is None and is_required):
            if is_required:
                raise ConfigurationError(
                    "setting_missing", setting=self.key, expected=self.about, **remedy_for_missing(self.key, config)
                )
            return self.usual(before)
        found = config[self.key]
        try:
            return self.check.read(found)
        except Unfit as unfit:
            shown = f"{kind(found)}, not shown" if self.is_secret else found
            remedy = {"remedy": unfit.remedy} if unfit.remedy else {}
            raise ConfigurationError(
                "setting_invalid", setting=self.key, found=shown, expected=unfit.expected, **remedy
            ) from None

    def usual(self, before: Mapping[str, Any]) -> Any:
        """The value if the app does not set one. The other parameter is that of ``read``."""
        return self.default.follow(before) if isinstance(self.default, Following) else self.default


def setting(
    check: Check[T],
    about: str,
    *,
    default: T | Following[T] | Required,
    shown: str | None = None,
    is_secret: bool = False,
) -> T:
    """One line of the table; the parameters are those of ``Row``. ``Row.name`` is the attribute's."""
    if isinstance(default, (Following, Required)):
        shown = default.shown
    metadata = {"row": Row("", check, default, about, shown, is_secret)}
    if isinstance(default, (Following, Required)):
        return cast("T", field(metadata=metadata, repr=not is_secret))
    return field(default_factory=lambda: default, metadata=metadata, repr=not is_secret)


def rows(group: type) -> Iterator[Row]:
    """The settings of one part of the table, in its order."""
    for each in fields(group):
        if "row" in each.metadata:
            yield each.metadata["row"]._replace(name=each.name)
