"""docs/foundation-tests.md is complete, and true: each module has its test, or says why not."""

import pytest

from tools import foundation
from tools.markers import marked_tests

# As in the suite's source: OIDCCClientBasicTestPlan, OIDCCClientConfigTestPlan, and the logout plans for `code`.
CERTIFIED = {
    "oidcc-client-basic-certification-test-plan": """
        oidcc-client-test oidcc-client-test-invalid-iss oidcc-client-test-missing-sub oidcc-client-test-invalid-aud
        oidcc-client-test-missing-iat oidcc-client-test-kid-absent-single-jwks
        oidcc-client-test-kid-absent-multiple-jwks oidcc-client-test-idtoken-sig-rs256
        oidcc-client-test-idtoken-sig-none oidcc-client-test-invalid-sig-rs256 oidcc-client-test-userinfo-invalid-sub
        oidcc-client-test-nonce-invalid oidcc-client-test-scope-userinfo-claims
        oidcc-client-test-client-secret-basic
    """,
    "oidcc-client-config-certification-test-plan": """
        oidcc-client-test-discovery-openid-config oidcc-client-test-discovery-jwks-uri-keys
        oidcc-client-test-discovery-issuer-mismatch oidcc-client-test-idtoken-sig-none
        oidcc-client-test-signing-key-rotation-just-before-signing oidcc-client-test-signing-key-rotation
    """,
    "oidcc-client-rp-initiated-logout-rp-basic": """
        oidcc-client-test-rp-init-logout oidcc-client-test-rp-init-logout-other-state
        oidcc-client-test-rp-init-logout-no-state
    """,
    "oidcc-client-back-channel-logout-rp-basic": """
        oidcc-client-test-rp-backchannel-rpinitlogout oidcc-client-test-rp-backchannel-rpinitlogout-alg-none
        oidcc-client-test-rp-backchannel-rpinitlogout-no-event oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce
        oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud
        oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event
        oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss
    """,
}


def test_the_page_of_the_foundation_s_modules_is_up_to_date() -> None:
    assert foundation.PAGE.read_text(encoding="utf-8") == foundation.page(marked_tests(foundation.MARKER)), "make docs"


@pytest.mark.parametrize("plan", CERTIFIED)
def test_every_module_of_a_plan_that_is_certified_is_listed(plan: str) -> None:
    [listed] = [each for each in foundation.plans() if each.name == plan]

    assert {module.name for module in listed.modules} | set(listed.also) == set(CERTIFIED[plan].split())


def test_every_module_has_a_test_or_says_why_not() -> None:
    tests = marked_tests(foundation.MARKER)
    modules = [module for plan in foundation.plans() for module in plan.modules]

    assert len({module.name for module in modules}) == len(modules)
    assert [module.name for module in modules if module.needs_a_test != (module.name in tests)] == []
    assert [module.name for module in modules if not module.not_offered and not module.we] == []


@pytest.mark.parametrize("plan", CERTIFIED)
def test_a_module_that_is_certified_has_a_test_of_its_name(plan: str) -> None:
    played = marked_tests(foundation.MARKER)
    for module in played.keys() & set(CERTIFIED[plan].split()):
        assert f"test_{module.replace('-', '_')}" in [test.partition("::")[2] for test in played[module]]


def test_a_marker_that_names_no_module_is_an_error() -> None:
    with pytest.raises(ValueError, match="oidcc-client-test-invented"):
        foundation.page({"oidcc-client-test-invented": ["test_x.py::test_y"]})
