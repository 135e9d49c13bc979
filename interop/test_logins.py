"""What has to hold at every provider. A test's name, and its parameter, is a line of the table.

A check is "not offered" only if the provider's own discovery document does not offer it, or if its folder says why the
document is wrong.
"""

import pytest

from .process import RunningProvider
from .visitor import Visitor
from .world import ALGORITHMS, METHODS


def offered(provider: RunningProvider, feature: str, listed_in: str | None = None) -> None:
    """Leave the check out if the provider does not offer this: a member of its document, or of a list there."""
    not_offered = provider.provider.not_offered
    if feature in not_offered:
        pytest.skip(f"not offered: {not_offered[feature]}")
    listed = provider.document.get(listed_in, []) if listed_in else True
    if not listed or (isinstance(listed, list) and feature not in listed):
        pytest.skip(f"not offered: its document does not have it in {listed_in}")


def expect_login(visitor: Visitor, feature: str = "") -> None:
    """Somebody is logged in as who they are at the provider, unless the app is known to refuse it with this feature."""
    unless_refused(visitor, feature)
    person, seen = visitor.provider.world.person, visitor.known_as
    assert not visitor.portal.failures, f"the login failed: {', '.join(visitor.portal.failures)}"
    assert seen["issuer"] == visitor.provider.world.issuer
    assert seen["subject"]
    assert (seen.get("name"), seen.get("email")) == (person.name, person.email)


def expect_failure(visitor: Visitor, code: str, feature: str = "") -> None:
    """The login failed for this reason, unless the app is known to refuse it for another, and nobody is logged in."""
    unless_refused(visitor, feature)
    assert visitor.portal.failures == [code], f"expected {code}, got {visitor.portal.failures or visitor.page.url}"
    expect_nobody(visitor)


def unless_refused(visitor: Visitor, feature: str) -> None:
    """What the provider's folder says about a refusal has to be true, or it does not belong there any more."""
    code = visitor.provider.provider.refused.get(feature)
    if code is not None:
        assert visitor.portal.failures == [code], f"{code} is no longer true: got {visitor.portal.failures}"
        expect_nobody(visitor)
        pytest.skip(f"refused: {code}")


def expect_nobody(visitor: Visitor) -> None:
    """Nobody is logged in to the app: its page leads to the provider."""
    visitor.page.context.clear_cookies(domain="127.0.0.1")  # so that the provider asks who it is
    visitor.page.goto(f"{visitor.portal.address}/me")
    assert visitor.page.url.startswith(visitor.provider.world.origin)


def test_somebody_logs_in_and_their_claims_arrive(visitor: Visitor) -> None:
    visitor.meet()
    visitor.log_in()

    expect_login(visitor)


@pytest.mark.parametrize("method", METHODS)
def test_the_client_authenticates_with(method: str, visitor: Visitor, provider: RunningProvider) -> None:
    if method != "none":  # which few documents list, although most providers can do it
        offered(provider, method, "token_endpoint_auth_methods_supported")
    visitor.meet(method)
    visitor.log_in()

    expect_login(visitor, method)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_id_token_is_signed_with(algorithm: str, visitor: Visitor, provider: RunningProvider) -> None:
    offered(provider, algorithm, "id_token_signing_alg_values_supported")
    visitor.meet(algorithm)  # and the app accepts no other signature
    visitor.log_in()

    expect_login(visitor, algorithm)


def test_PKCE_is_used_and_a_code_for_another_challenge_is_refused(visitor: Visitor) -> None:
    another = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # of RFC 7636, appendix B
    visitor.portal.alter_request = lambda request: request | {"code_challenge": another}
    visitor.meet()
    visitor.log_in()

    assert [request["code_challenge_method"] for request in visitor.portal.requests] == ["S256"]
    expect_failure(visitor, "code_refused")


def test_an_id_token_with_another_nonce_is_refused(visitor: Visitor) -> None:
    visitor.portal.alter_request = lambda request: request | {"nonce": "of-another-login"}
    visitor.meet()
    visitor.log_in()

    expect_failure(visitor, "nonce_mismatch")


def test_a_response_with_another_state_is_refused(visitor: Visitor) -> None:
    visitor.portal.alter_response = lambda response: response | {"state": "A" * len(response["state"])}
    visitor.meet()
    visitor.log_in()

    expect_failure(visitor, "transaction_unknown")


def test_the_response_names_its_issuer_and_another_one_is_refused(visitor: Visitor, provider: RunningProvider) -> None:
    offered(provider, "iss", "authorization_response_iss_parameter_supported")
    visitor.meet()
    visitor.log_in()

    expect_login(visitor)
    assert visitor.portal.responses[-1]["iss"] == provider.world.issuer

    visitor.page.context.clear_cookies()
    visitor.portal.alter_response = lambda response: response | {"iss": "https://another.example"}
    visitor.log_in()

    expect_failure(visitor, "response_issuer_mismatch")


def test_a_cancelled_login_is_told_as_one(visitor: Visitor, provider: RunningProvider) -> None:
    offered(provider, "cancel")
    provider.forget()  # somebody who has consented before is not asked again by some
    visitor.meet()
    visitor.cancel()

    expect_failure(visitor, "cancelled", "cancel")


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_a_wrong_client_secret_is_told_as_one(method: str, visitor: Visitor, provider: RunningProvider) -> None:
    offered(provider, method, "token_endpoint_auth_methods_supported")
    visitor.meet(method, CLIENT_SECRET="not-the-secret-of-this-client")
    visitor.log_in()

    expect_failure(visitor, "client_refused")


def test_userinfo_is_asked_and_is_about_the_same_person(visitor: Visitor, provider: RunningProvider) -> None:
    offered(provider, "userinfo", "userinfo_endpoint")
    visitor.meet(USERINFO=True)
    visitor.log_in()

    expect_login(visitor)
    path = provider.document["userinfo_endpoint"].removeprefix(provider.world.origin)
    assert f"GET {path} 200" in visitor.portal.calls


def test_signed_userinfo_is_verified(visitor: Visitor, provider: RunningProvider) -> None:
    offered(provider, "RS256", "userinfo_signing_alg_values_supported")
    visitor.meet("signed_userinfo")  # and the app accepts no other
    visitor.log_in()

    expect_login(visitor, "signed_userinfo")


def test_a_client_that_must_push_its_request_does_so(visitor: Visitor, provider: RunningProvider) -> None:
    offered(provider, "PAR", "pushed_authorization_request_endpoint")
    visitor.meet("must_push")
    visitor.log_in()

    expect_login(visitor)
    path = provider.document["pushed_authorization_request_endpoint"].removeprefix(provider.world.origin)
    assert f"POST {path} 201" in visitor.portal.calls


def test_keys_are_rotated_and_the_app_goes_on(visitor: Visitor, provider: RunningProvider) -> None:
    visitor.meet()
    visitor.log_in()
    expect_login(visitor)

    provider.rotate_keys()
    visitor.page.context.clear_cookies()
    visitor.log_in()

    expect_login(visitor)


def test_a_logout_ends_the_session_at_the_provider(visitor: Visitor, provider: RunningProvider) -> None:
    offered(provider, "logout", "end_session_endpoint")
    visitor.meet(LOGOUT_AT_PROVIDER=True)
    visitor.log_in()
    expect_login(visitor)

    visitor.log_out()
    assert visitor.page.url.startswith(f"{visitor.portal.address}/cobot/logged-out")

    visitor.page.goto(f"{visitor.portal.address}/me")
    asked_for = provider.provider.log_in(provider.world)[0].shows
    visitor.page.locator(asked_for).wait_for()  # a provider that still knew the person would not ask who it is
