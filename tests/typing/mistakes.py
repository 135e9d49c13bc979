"""Mistakes that a type checker finds. Both complain about an ``ignore`` that they do not need."""

from cobot_oidc import CobotOIDC, current_space, current_user, login_required, membership_required, requires_scope


def needs_text(text: str) -> str:
    return text


def view(number: int) -> str:
    return str(number)


needs_text(current_space())  # type: ignore[arg-type] # it may be None
needs_text(current_space)  # type: ignore[arg-type] # a function
needs_text(current_user.subject)  # type: ignore[arg-type] # nobody may be logged in
login_required("co-up")  # type: ignore[call-overload] # space="co-up" is meant
login_required(spcae="co-up")  # type: ignore[call-overload]
login_required(space=7)  # type: ignore[call-overload]
membership_required("co-up")  # type: ignore[call-overload] # space="co-up" is meant
requires_scope(["read_bookings"])  # type: ignore[arg-type] # each scope is an argument of its own
CobotOIDC().authorization_request(needs_text)  # type: ignore[type-var] # it gets the space and the place
login_required(view)("one")  # type: ignore[arg-type] # the view's own arguments stay
