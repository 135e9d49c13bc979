"""Every outcome that is not a success: its stable code, a sentence for people, a hint for the operator.

They are all in one place, so that pages, logs, documents and translations cannot drift apart. Sentences and hints
contain no values.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """What is said about one code. ``status`` is ``None`` if the error class's default HTTP status applies."""

    hint: str
    sentence: str
    status: int | None = None


# What people read. There are few sentences, as somebody in front of a browser can do only a few things about an error.
OUR_FAULT = "This app is not set up correctly, so nobody can log in. Please tell the people who run it."
UNREACHABLE = "The login service cannot be reached at the moment. Please try again in a little while."
UNTRUSTED = "The login service's answer could not be verified, so you were not logged in. Please try again later."
START_AGAIN = (
    "This login is no longer valid: it was already used, it took too long, or it was started elsewhere. "
    "Please start again."
)
NOT_UNDERSTOOD = "The login did not work, so you were not logged in. Please start again."
CANCELLED = "You cancelled the login. If you did not mean to, please start again."
DECLINED = "The login service refused to log you in. Please start again."
NO_SUCH_SPACE = "There is no such space here. Please check the address."
LOG_IN_FIRST = "Please log in first."
NOT_FROM_HERE = (
    "You were not logged out, because the request did not come from this site. Please use the button to log out."
)
NO_COOKIES = (
    "Your browser did not send any cookies, so this login cannot be told apart from somebody else's. "
    "Please allow cookies for this site and start again."
)
STUCK = (
    "Logging in works, but your browser does not keep you logged in. "
    "Please allow cookies for this site, and check that your device's date and time are right."
)

CONFIGURATION = {
    "setting_missing": Entry("A required setting is missing; set it in app.config.", OUR_FAULT),
    "setting_invalid": Entry("A setting has an invalid value; change it in app.config to what is expected.", OUR_FAULT),
    "setting_unknown": Entry("There is no setting with this name; check its spelling in app.config.", OUR_FAULT),
    "settings_invalid": Entry(
        "Several settings are invalid; change each of them in app.config to what is expected.",
        OUR_FAULT,
    ),
    "session_store_unsafe": Entry(
        "The app's session store keeps the session's id when somebody logs in, so an attacker who planted that id "
        "would be logged in too (session fixation); use flask-session>=0.7, or Flask's own session cookie.",
        OUR_FAULT,
    ),
    "already_installed": Entry("init_app was called twice for the same app; call it once.", OUR_FAULT),
    "issuer_invalid": Entry(
        "The issuer is not valid; it must be an https URL without a query, fragment or user (http only on localhost).",
        OUR_FAULT,
    ),
    "issuer_not_found": Entry(
        "There is no OpenID Connect discovery document at COBOT_OIDC_ISSUER; set it to the provider's issuer, exactly "
        "as the provider spells it.",
        OUR_FAULT,
    ),
    "algorithms_disjoint": Entry(
        "The provider does not sign with any of COBOT_OIDC_ALGORITHMS; add an algorithm that the provider lists and "
        "that you trust.",
        OUR_FAULT,
    ),
    "client_refused": Entry(
        "The provider rejected our client; compare COBOT_OIDC_CLIENT_ID and COBOT_OIDC_CLIENT_SECRET with the "
        "client's registration, and try the other COBOT_OIDC_CLIENT_AUTH: client_secret_basic or client_secret_post.",
        OUR_FAULT,
    ),
    "redirect_uri_unknown": Entry(
        "The redirect URI cannot be built, because nothing vouches for the request's host; set "
        "COBOT_OIDC_REDIRECT_URI, or Flask's SERVER_NAME or TRUSTED_HOSTS.",
        OUR_FAULT,
        400,  # a stranger can send any Host
    ),
    "https_required": Entry(
        "Logging in requires https, except on localhost; behind a proxy, set COBOT_OIDC_REDIRECT_URI or use ProxyFix.",
        OUR_FAULT,
    ),
    "space_name_invalid": Entry(
        "login_required(space=…) was given a name that no space can have; pass the space's subdomain at Cobot, a "
        "lower-case DNS label, or None for the global provider.",
        OUR_FAULT,
    ),
    "not_installed": Entry(
        "cobot_oidc is not set up for this app; call oidc.init_app(app), or CobotOIDC(app).", OUR_FAULT
    ),
    "guard_misplaced": Entry(
        "@login_required is above the decorator that registers the view, so the view is open to everybody; "
        "put @login_required below @app.get.",
        OUR_FAULT,
    ),
    "view_arg_unknown": Entry(
        "No URL rule of the app has the variable part that from_view_arg names, so every page would belong to the "
        "global provider; use the name that the rules have.",
        OUR_FAULT,
    ),
}

PROVIDER = {
    "provider_unreachable": Entry(
        "The provider did not answer, or not in time; the reason says whether its host name did not resolve, the "
        "connection was refused or broke, or the request timed out. Check the network, the host name and the "
        "provider's status page.",
        UNREACHABLE,
        503,
    ),
    "provider_failing": Entry(
        "The provider answered with a server error or asked us to slow down; check its status page, and try again "
        "later.",
        UNREACHABLE,
        503,
    ),
    "provider_paused": Entry(
        "The provider failed several times in a row, so it gets no requests for a moment; wait, and check the "
        "provider's status page.",
        UNREACHABLE,
        503,
    ),
    "provider_busy": Entry(
        "Too many requests to providers are already under way, or too many new spaces were requested at once; try "
        "again in a moment, and check whether the provider is slow.",
        UNREACHABLE,
        503,
    ),
    "provider_not_found": Entry(
        "There is no OpenID Connect discovery document at this issuer; check the space's name and "
        "COBOT_OIDC_SPACE_ISSUER.",
        NO_SUCH_SPACE,
        404,
    ),
    "response_unusable": Entry(
        "The provider's response cannot be used: it is too large, encoded, redirected, or not of the expected type; "
        "check the issuer, and any proxy in between.",
        UNTRUSTED,
    ),
    "tls_failed": Entry(  # to a stranger the same as any other failure to connect
        "The provider's TLS certificate could not be verified, or the server does not speak TLS; check "
        "COBOT_OIDC_CA_BUNDLE, and any proxy or firewall in between.",
        UNREACHABLE,
        503,
    ),
    "metadata_unusable": Entry(
        "The provider did not return a valid OpenID Connect discovery document; check that the issuer is an OpenID "
        "provider.",
        UNTRUSTED,
    ),
    "metadata_issuer_mismatch": Entry(
        "The discovery document belongs to another issuer; configure the issuer exactly as the provider spells it.",
        UNTRUSTED,
    ),
    "endpoint_forbidden": Entry(
        "The discovery document names an endpoint on a host or port that is not allowed; if the endpoint is right, "
        "add its host to COBOT_OIDC_ALLOWED_HOSTS.",
        UNTRUSTED,
    ),
    "endpoint_unusable": Entry(
        "The authorization endpoint's URL already has a query parameter that a login has to set; ask the provider to "
        "correct its discovery document.",
        UNTRUSTED,
    ),
    "key_set_unusable": Entry(
        "The provider's jwks_uri did not return a valid JWK Set with a usable key; ask the provider to correct it.",
        UNTRUSTED,
    ),
    "token_response_unusable": Entry(
        "The token endpoint did not return a valid token response; see the details, and compare the scopes and the "
        "redirect URI with the client's registration.",
        UNTRUSTED,
    ),
    "userinfo_unusable": Entry(
        "The userinfo response is not valid JSON, or is about another subject than the id token; report it to the "
        "provider.",
        UNTRUSTED,
    ),
}

TOKEN = {
    "token_malformed": Entry(
        "The token is not a JWS in compact serialization (RFC 7515 section 7.1); report it to the provider.",
        UNTRUSTED,
    ),
    "token_too_large": Entry("The token is larger than 16 kB; report it to the provider.", UNTRUSTED),
    "header_malformed": Entry("The token's header is not a valid JSON object; report it to the provider.", UNTRUSTED),
    "header_forbidden": Entry(
        "The token's header has a parameter that is not supported, or contains its own key; report it to the provider.",
        UNTRUSTED,
    ),
    "token_type_wrong": Entry("The token's type (typ) is not JWT; report it to the provider.", UNTRUSTED),
    "algorithm_forbidden": Entry(
        "The token's algorithm is not allowed; add it to COBOT_OIDC_ALGORITHMS if you trust it.",
        UNTRUSTED,
    ),
    "kid_malformed": Entry(
        "The token's kid is not a string of 1 to 256 characters; report it to the provider.",
        UNTRUSTED,
    ),
    "kid_required": Entry(
        "The token has no kid, but COBOT_OIDC_REQUIRE_KID requires one; ask the provider to name its keys.",
        UNTRUSTED,
    ),
    "key_unknown": Entry(
        "The provider's key set has no usable key with the token's kid; if this lasts, the provider has to publish "
        "the key that it signs with.",
        UNTRUSTED,
    ),
    "key_unsuitable": Entry(
        "The key with this kid cannot be used for the token's algorithm; set COBOT_OIDC_ALGORITHMS to the algorithms "
        "of the provider's keys.",
        UNTRUSTED,
    ),
    "key_ambiguous": Entry(
        "Several keys could have signed this token; the provider should give each key a kid of its own, and name it "
        "in the token.",
        UNTRUSTED,
    ),
    "signature_invalid": Entry(
        "The token's signature could not be verified with the provider's keys: the provider's key set is out of date, "
        "or the token was forged.",
        UNTRUSTED,
    ),
    "payload_malformed": Entry("The token's payload is not a valid JSON object; report it to the provider.", UNTRUSTED),
    "issuer_mismatch": Entry(
        "The token was issued by another issuer than the one that this login used (iss); report it to the provider.",
        UNTRUSTED,
    ),
    "audience_mismatch": Entry(
        "The token was not issued for our client (aud); compare COBOT_OIDC_CLIENT_ID with the client's registration.",
        UNTRUSTED,
    ),
    "audience_untrusted": Entry(
        "The token was also issued for other audiences; add them to COBOT_OIDC_TRUSTED_AUDIENCES if you trust them.",
        UNTRUSTED,
    ),
    "authorized_party_mismatch": Entry(
        "The token was issued to another client (azp); compare COBOT_OIDC_CLIENT_ID with the client's registration.",
        UNTRUSTED,
    ),
    "time_malformed": Entry(
        "A time in the token is missing or is not a valid NumericDate; report it to the provider.",
        UNTRUSTED,
    ),
    "expired": Entry("The token has expired; if it was just issued, this machine's clock is ahead.", UNTRUSTED),
    "exp_too_far": Entry("The token expires more than 366 days from now; report it to the provider.", UNTRUSTED),
    "clock_skew": Entry(
        "The token was issued in the future; compare this machine's clock with the provider's.",
        UNTRUSTED,
    ),
    "issued_too_long_ago": Entry(
        "The token was issued too long ago; if it was just issued, this machine's clock is ahead.",
        UNTRUSTED,
    ),
    "exp_not_after_iat": Entry("The token expires before it was issued; report it to the provider.", UNTRUSTED),
    "not_yet_valid": Entry(
        "The token is not valid yet (nbf); compare this machine's clock with the provider's.",
        UNTRUSTED,
    ),
    "nonce_mismatch": Entry(
        "The token belongs to another login: its nonce is not the one that was sent. If it happens again, somebody "
        "may be replaying tokens.",
        UNTRUSTED,
    ),
    "nonce_unexpected": Entry(
        "The token belongs to another login: it has a nonce, although none was sent; report it to the provider.",
        UNTRUSTED,
    ),
    "subject_malformed": Entry(
        "The token's subject (sub) is not a string of 1 to 255 printable ASCII characters; report it to the provider.",
        UNTRUSTED,
    ),
    "authentication_too_old": Entry(
        "The person last logged in at the provider longer ago than max_age allows.",
        UNTRUSTED,
    ),
    "at_hash_mismatch": Entry(
        "The id token and the access token do not belong together (at_hash); report it to the provider.",
        UNTRUSTED,
    ),
}

LOGIN = {
    "space_unknown": Entry(
        "The request is for a space that this app does not serve; check COBOT_OIDC_SPACES.",
        NO_SUCH_SPACE,
        404,
    ),
    "login_required": Entry(
        "Nobody is logged in to the space of this request; send the person to the URL of cobot_oidc.login.",
        LOG_IN_FIRST,
        401,
    ),
    "response_malformed": Entry("The provider's response in the callback URL is malformed.", NOT_UNDERSTOOD),
    "transaction_unknown": Entry(
        "This browser has not started a login with this state: the login was already used, has expired, or was "
        "started in another browser or on another host (localhost and 127.0.0.1 are different sites); or the browser "
        "does not keep cookies.",
        START_AGAIN,
    ),
    "cookies_missing": Entry(
        "The browser came back without any cookies: it blocks them, this response belongs to another browser, or the "
        "login was started on another host than that of the redirect URI (localhost and 127.0.0.1 are different "
        "sites).",
        NO_COOKIES,
    ),
    "transaction_expired": Entry("The person took more than ten minutes to log in; they can start again.", START_AGAIN),
    "transaction_used": Entry(
        "The same response was received a second time; the first one was already used.",
        START_AGAIN,
    ),
    "transaction_outdated": Entry(
        "The configuration of the app's issuers changed during this login; the next login uses the new one.",
        START_AGAIN,
    ),
    "callback_mismatch": Entry(
        "The response was sent to another callback than the one that this login named: somebody tried a mix-up of "
        "issuers, or the app's URL was changed during the login.",
        NOT_UNDERSTOOD,
    ),
    "response_issuer_missing": Entry(
        "The response has no iss, although the provider's discovery document promises one; report it to the provider.",
        NOT_UNDERSTOOD,
    ),
    "response_issuer_mismatch": Entry(
        "The response came from another issuer than the one that this login used (iss).",
        NOT_UNDERSTOOD,
    ),
    "cancelled": Entry(
        "The person cancelled the login at the provider (access_denied, consent_required).",
        CANCELLED,
        403,
    ),
    "interaction_required": Entry(
        "The provider requires the person to do something before they can log in; see the error in the details.",
        DECLINED,
        403,
    ),
    "provider_declined": Entry(
        "The provider answered with an error; compare the scopes and the redirect URI with the client's registration.",
        DECLINED,
    ),
    "code_refused": Entry(
        "The provider rejected the authorization code: it was already used, has expired, or was not issued to our "
        "client.",
        START_AGAIN,
    ),
    "session_too_large": Entry(
        "The session does not fit into a cookie; keep fewer claims (COBOT_OIDC_CLAIMS) or use Flask-Session.",
        OUR_FAULT,
        500,
    ),
    "login_stuck": Entry(
        "The browser logged in several times within a minute, and lost its session each time; check "
        "SESSION_COOKIE_SECURE, SESSION_COOKIE_DOMAIN and SESSION_COOKIE_PATH, the size of the session, and the "
        "clocks of all machines.",
        STUCK,
        403,
    ),
    "logout_cross_site": Entry(
        "A logout was requested by another site, or without the headers Origin and Sec-Fetch-Site; log people out "
        "with a form on your own pages.",
        NOT_FROM_HERE,
        403,
    ),
    "prefix_malformed": Entry(
        "The path that the app is mounted at (SCRIPT_NAME, or X-Forwarded-Prefix with ProxyFix) is not a plain path; "
        "make the proxy set that header itself, so that clients cannot.",
        NOT_UNDERSTOOD,
    ),
}

CATALOGUE: dict[str, Entry] = CONFIGURATION | PROVIDER | TOKEN | LOGIN
