"""The client of Cobot's API that an app uses: what can be asked, and in which form the answers come."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

from flask import has_app_context

from ..errors import APIError
from ..installation import installation
from ..provider.http import HTTPResponse
from ..provider.transport import PLACEHOLDER
from .addresses import is_of_api_1
from .answers import JSON_API, content, failure, refuse
from .connection import SAFE_METHODS, Call
from .documents import Page, Resource
from .people import Me, SpaceToken, scopes_of
from .places import place_of
from .uploads import Upload, uploaded

LONGEST_WAIT = 5.0  # seconds
LARGEST_PERSON = 256 * 1024  # bytes
MOST_ON_A_PAGE = 200

JSON = Any  # what a JSON text can hold: dict, list, str, int, float, bool or None


@dataclass(frozen=True, slots=True)
class Download:
    """A file. ``content`` is at most 8 MB."""

    media_type: str
    content: bytes


class CobotAPI:
    """Cobot's REST API, with a person's or a space's access token, or without one for what is public.

    Paths that begin with ``/api/`` belong to API 1: ``/api/plans`` is asked at the space. All others belong to API 2:
    ``/bookings``. Every method may raise ``APIError``; ``docs/errors.md`` lists its codes.

    :param token: an access token. ``None``: only public resources can be asked for.
    :param space: the subdomain of the space whose API 1 is meant; ``None`` for the global provider.
    :param user: whose budget of requests the calls are taken from, if the app knows it: several tokens of one person
        share one. By default each token has a budget of its own.
    :param longest_wait: the seconds that a call may wait, in all, because of the limit of requests or after a failure.
    :param renew: gives another token if Cobot refuses this one (401), or ``None``. It gets the SHA-256 of the one that
        was refused, in hexadecimal digits. The call is made again, unless it uploads files.
    :raises APIError: ``address_forbidden`` if the app does not know the space.

    Inside an app context, the app's settings say where the API is, and Redis, if there is one, counts the calls of all
    processes; elsewhere it is Cobot's, and each process counts its own.

    .. code-block:: python

        api = CobotAPI(token, space="co-up")
        for booking in api.pages("/bookings", filter={"space": "co-up"}, include=["resource"]):
            print(booking["title"], booking["resource"]["name"])
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        space: str | None = None,
        user: str | None = None,
        longest_wait: float = LONGEST_WAIT,
        renew: Callable[[str], str | None] | None = None,
    ) -> None:
        self._renew = renew
        self._installed = installation() if has_app_context() else None
        self._place = place_of(self._installed)
        self._session = self._place.connection.session(token)
        who = user or (None if token is None else hash_of_token(token))
        del token  # no error of ours has a frame that holds it (L02)
        self._addresses = self._place.addresses(space)
        self._space = space
        # Each provider counts for itself, and knows people by names of its own.
        self._user = None if who is None else f"{self._addresses.account} {who}"
        self._longest_wait = longest_wait
        self._granted: tuple[str, ...] | None = None
        self._closed = Event()  # for the copies too

    def __repr__(self) -> str:
        return f"<CobotAPI at {self._addresses.api_1!r}>"

    def get(self, path: str, *, params: Mapping[str, Any] | None = None, include: Iterable[str] = ()) -> JSON:
        """Ask for a resource, or for one page of a list.

        :param path: such as ``/api/plans`` or ``/bookings/1``.
        :param params: the query.
        :param include: API 2: the relationships to resolve, such as ``["resource"]``.
        :returns: API 1: the JSON as it is. API 2: a dictionary for each resource, with its ``type``, ``id`` and fields.
            ``None`` for an empty answer.
        """
        include = [include] if isinstance(include, str) else list(include)
        query = dict(params or {}) | ({"include": ",".join(include)} if include else {})
        document = content(self._ask("GET", path, include=include, params=query))
        return document if document is None or is_of_api_1(path) else Page.read(document, include).data

    def pages(
        self,
        path: str,
        *,
        filter: Mapping[str, str] | None = None,
        fields: Mapping[str, Iterable[str]] | None = None,
        include: Iterable[str] = (),
        params: Mapping[str, Any] | None = None,
        page_size: int | None = None,
    ) -> Iterator[Resource]:
        """All resources of a list of API 2, page by page: a page is asked for when its first resource is needed.

        :param filter: such as ``{"space": "co-up"}``.
        :param fields: the fields to send, by type of resource.
        :param include: the relationships to resolve.
        :param params: more of the query.
        :param page_size: resources on a page, 200 at most; by default 72, as Cobot sends.
        :returns: the resources, of which one page at a time is held.
        """
        include = [include] if isinstance(include, str) else list(include)
        query = dict(params or {})
        query |= {f"filter[{name}]": value for name, value in (filter or {}).items()}
        query |= {f"fields[{kind}]": ",".join(names) for kind, names in (fields or {}).items()}
        if include:
            query["include"] = ",".join(include)
        if page_size is not None:
            query["page[size]"] = str(min(page_size, MOST_ON_A_PAGE))
        url: str | None = self._addresses.url(path)
        asked: set[str] = set()
        while url is not None and url not in asked:
            asked.add(url)
            page = Page.read(content(self._ask("GET", path, url, include=include, params=query)), include)
            yield from page.resources()
            url, query = self._addresses.followed(page.next), {}  # the link repeats what was asked for
            del page  # before the next one comes

    def post(self, path: str, json: JSON = None, **body: Any) -> JSON:
        """Create something. The body is ``json``, or one of ``form`` and ``files``; see ``request``."""
        return self.request("POST", path, json=json, **body)

    def put(self, path: str, json: JSON = None, **body: Any) -> JSON:
        """Replace something; see ``request``."""
        return self.request("PUT", path, json=json, **body)

    def patch(self, path: str, json: JSON = None, **body: Any) -> JSON:
        """Change something; see ``request``."""
        return self.request("PATCH", path, json=json, **body)

    def delete(self, path: str) -> JSON:
        """Delete something; see ``request``."""
        return self.request("DELETE", path)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: JSON = None,
        form: Mapping[str, Any] | None = None,
        files: Mapping[str, Upload] | None = None,
    ) -> JSON:
        """Send something. It is sent once, and only again if Cobot refused it because of the limit of requests.

        :param json: the body as JSON; for API 2 the whole document, ``{"data": {…}}``.
        :param form: the body as a form, or the fields beside ``files``.
        :param files: files to upload, by the field's name: an open file, what ``request.files`` holds, or a tuple of
            name, content and media type.
        :returns: as ``get``.
        """
        options: dict[str, Any] = {
            "data": form,
            "files": {name: uploaded(file) for name, file in (files or {}).items()},
        }
        if json is not None:
            options = {"json": json}
        document = content(self._ask(method, path, **options))
        return document if document is None or is_of_api_1(path) else Page.read(document).data

    def download(self, path: str) -> Download:
        """Ask for a file, such as an invoice as PDF."""
        answer = self._ask("GET", path)
        refuse(answer)
        return Download(answer.content_type, answer.body)

    def me(self) -> Me:
        """Who the token belongs to: their memberships, and the spaces that they administer (scope ``read_user``)."""
        answer = self._ask("GET", "/api/user", self._addresses.of_account("/api/user"))
        return Me.read(content(answer, largest=LARGEST_PERSON))

    def granted_scopes(self) -> tuple[str, ...]:
        """The scopes of the token, as Cobot says."""
        if self._granted is None:
            answer = content(self._call_about_token("GET", ""))
            self._granted = scopes_of(answer.get("scope") if isinstance(answer, dict) else None)
        return self._granted

    def revoke(self) -> None:
        """Tell Cobot that the token is not valid any more."""
        refuse(self._call_about_token("DELETE", ""))

    def space_token(self, space_id: str) -> SpaceToken:
        """A token for background work in a space, which only its admins get.

        :param space_id: Cobot's id for the space.
        :raises APIError: ``space_token_foreign`` if it was issued to another client than this app's.
        """
        answer = content(self._call_about_token("POST", "/space", json={"space_id": space_id}))
        answer = answer if isinstance(answer, dict) else {}
        # From here on no variable holds the token itself: an error's frames would show it (L02).
        token = SpaceToken(_text(answer.pop("token", None)), space_id, ())
        client_id = self._place.client_id_of(self._space)
        if client_id and answer.get("client_id") != client_id:
            raise APIError("space_token_foreign", expected=client_id, got=answer.get("client_id"))
        if not token.token or not token.token.isascii() or not token.token.isprintable():
            raise APIError("answer_unusable", reason="no token")
        return replace(token, scopes=scopes_of(answer.get("scope")))

    def waiting(self, longest_wait: float) -> "CobotAPI":
        """The same client, which may wait so many seconds: for background work, where nobody sits in front of it."""
        other = object.__new__(CobotAPI)
        other.__dict__ |= self.__dict__ | {"_longest_wait": longest_wait}
        return other

    def close(self) -> None:
        """End the use of the token: every later call of this client and of its copies raises ``token_spent``."""
        self._closed.set()
        self._session.token = self._granted = None

    def _ask(
        self, method: str, path: str, url: str | None = None, *, include: Iterable[str] = (), **options: Any
    ) -> HTTPResponse:
        headers = _accept(path)
        if "json" in options and not is_of_api_1(path):
            headers["Content-Type"] = JSON_API
        answer = self._call(Call(method, url or self._addresses.url(path), {"headers": headers, **options}))
        if answer.status == 403:
            self._explain_refusal(method, path, include, answer)
        return answer

    def _call(self, call: Call) -> HTTPResponse:
        if self._closed.is_set():
            raise APIError("token_spent")
        place = place_of(self._installed)
        if place is not self._place:  # this process was forked (K20)
            token = self._session.token
            self._session = place.connection.session(token["access_token"] if token else None)
            self._place = place
        answer = place.connection.answer(self._session, call, user=self._user, longest_wait=self._longest_wait)
        if answer.status == 401 and self._has_other_token(call):
            return place.connection.answer(self._session, call, user=self._user, longest_wait=self._longest_wait)
        return answer

    def _has_other_token(self, call: Call) -> bool:
        """Whether there is another token, after Cobot has refused this one for a call that can be made again."""
        if self._renew is None or self._session.token is None or call.secret is not None or call.options.get("files"):
            return False
        refused = hash_of_token(self._session.token["access_token"])
        token = self._renew(refused)
        if token is None or hash_of_token(token) == refused:
            return False
        self._session.token = {"access_token": token, "token_type": "Bearer"}
        return True

    def _call_about_token(self, method: str, path: str, **options: Any) -> HTTPResponse:
        """The token stands in the path. It gets there when the bytes are sent: no log and no error contains it."""
        if self._closed.is_set() or self._session.token is None:
            raise APIError("token_spent" if self._closed.is_set() else "token_missing")
        url = self._addresses.of_account(f"/api/access_tokens/{PLACEHOLDER}{path}")
        call = Call(method, url, {"headers": _accept("/api/"), **options}, secret=self._session.token["access_token"])
        return self._call(call)

    def _explain_refusal(self, method: str, path: str, include: Iterable[str], answer: HTTPResponse) -> None:
        """Tell a scope that is missing from rights that somebody has lost: Cobot answers 403 to both.

        :raises APIError: ``insufficient_scope`` or ``rights_limited``; nothing if that cannot be found out.
        """
        kind = "read" if method in SAFE_METHODS else "write"
        needed = [(*((kind,) if is_of_api_1(path) else ()), f"{kind}_{_thing(path)}")]
        needed += [(f"read_{each.partition('.')[0]}", f"read_{each.partition('.')[0]}s") for each in include]
        try:
            granted = self.granted_scopes()
        except APIError:
            return
        missing = next((scopes[-1] for scopes in needed if not set(scopes).intersection(granted)), None)
        error = failure(answer, "rights_limited" if missing is None else "insufficient_scope")
        error.note(granted=list(granted), **({} if missing is None else {"expected": missing}))
        raise error


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _thing(path: str) -> str:
    """What a path is about, which scopes are named after: the last list in it, as in ``/spaces/co-up/bookings/1``."""
    names = path.removeprefix("/api/").strip("/").split("/")[::2]  # ids stand in between
    return next((name for name in reversed(names) if name.endswith("s")), names[0])


def _accept(path: str) -> dict[str, str]:
    return {
        "Accept": "application/json" if is_of_api_1(path) else JSON_API,
        "Accept-Encoding": "identity",
        "User-Agent": "cobot-oidc",
    }


def hash_of_token(token: str) -> str:
    """What stands for a token in places where it must not appear."""
    return hashlib.sha256(token.encode()).hexdigest()
