"""Documents of API 2 (JSON:API 1.1) as plain dictionaries: a resource's fields beside its ``type`` and ``id``.

JSON:API gives attributes, relationships, ``type`` and ``id`` one space of names, so nothing is lost. A relationship is
the resource itself if it was asked for with ``include``, otherwise only its ``type`` and ``id``: what comes back is
never deeper than what was asked for, whatever the resources refer to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import APIError

MOST_RESOURCES = 20_000  # within one of a list, written out

Resource = dict[str, Any]
_Tree = dict[str, "_Tree"]
_Identity = tuple[str, str]  # type and id


@dataclass(frozen=True, slots=True)
class Page:
    """One document.

    :ivar data: a resource, a list of them, or ``None``.
    :ivar next: the link to the next page, not checked yet.
    """

    data: Resource | list[Resource] | None
    next: object

    @classmethod
    def read(cls, document: object, include: Iterable[str] = ()) -> "Page":
        """Read a document.

        :param document: its JSON.
        :param include: the paths of relationships that were asked for.
        :raises APIError: ``answer_unusable`` if it is not such a document.
        """
        if not isinstance(document, dict) or "data" not in document:
            raise APIError("answer_unusable", reason="not a JSON:API document")
        included = {_identity(resource): resource for resource in _list(document.get("included", []))}
        data, tree, links = document["data"], _tree(include), document.get("links")
        resolved = _Resolver(included)
        read: Resource | list[Resource] | None
        if isinstance(data, list):
            read = [resolved.resource(resource, tree, "") for resource in data]
        else:
            read = None if data is None else resolved.resource(data, tree, "")
        return cls(read, links.get("next") if isinstance(links, dict) else None)

    def resources(self) -> list[Resource]:
        """The resources of a list.

        :raises APIError: ``answer_unusable`` if the document is about one alone.
        """
        if not isinstance(self.data, list):
            raise APIError("answer_unusable", reason="not a list of resources")
        return self.data


class _Resolver:
    """Makes dictionaries of resources, each once for each path that leads to it.

    They are shared where several lead to the same, so that a small document may be very large once it is written out.
    """

    def __init__(self, included: Mapping[_Identity, Mapping[str, Any]]) -> None:
        self._included = included
        self._made: dict[tuple[str, _Identity], Resource] = {}
        self._sizes: dict[int, int] = {}  # by a resource that was made: how many it holds

    def resource(self, resource: object, tree: _Tree, path: str) -> Resource:
        identity = _identity(resource)
        members: Mapping[str, Any] = resource if isinstance(resource, dict) else {}
        fields: Resource = dict(_object(members.get("attributes", {})))
        size = 1
        for name, relationship in _object(members.get("relationships", {})).items():
            if "data" in _object(relationship):
                below, linked = tree.get(name), relationship["data"]
                several = linked if isinstance(linked, list) else [] if linked is None else [linked]
                made = [self._linked(one, below, f"{path}.{name}") for one in several]
                fields[name] = made if isinstance(linked, list) else made[0] if made else None
                size += sum(self._sizes.get(id(one), 1) for one in made)
        if size > MOST_RESOURCES:
            raise APIError("answer_unusable", reason=f"more than {MOST_RESOURCES} resources, with what they include")
        fields["type"], fields["id"] = identity
        self._sizes[id(fields)] = size
        return fields

    def _linked(self, identifier: object, tree: _Tree | None, path: str) -> Resource:
        identity = _identity(identifier)
        if tree is None or identity not in self._included:
            return _named(identity)
        if (path, identity) not in self._made:
            self._made[path, identity] = self.resource(self._included[identity], tree, path)
        return self._made[path, identity]


def _tree(include: Iterable[str]) -> _Tree:
    tree: _Tree = {}
    for path in include:
        branch = tree
        for name in path.split("."):
            branch = branch.setdefault(name, {})
    return tree


def _identity(resource: object) -> _Identity:
    members = _object(resource)
    kind, name = members.get("type"), members.get("id")
    if not isinstance(kind, str) or not isinstance(name, str):
        raise APIError("answer_unusable", reason="a resource without type and id")
    return kind, name


def _named(identity: _Identity) -> Resource:
    return {"type": identity[0], "id": identity[1]}


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise APIError("answer_unusable", reason="a member of the document is not an object")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise APIError("answer_unusable", reason="a member of the document is not a list")
    return value
