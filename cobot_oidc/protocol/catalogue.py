"""Every outcome that is not a success: its stable code, a sentence for people, a hint for the operator.

One place, so that pages, logs, documents and translations cannot drift apart. Sentences and hints hold no values.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """What is said about one code. ``status`` is ``None`` where the error class's own HTTP status fits."""

    hint: str
    sentence: str
    status: int | None = None


# What people read. Few, as nobody in front of a browser can act on more.
OUR_FAULT = "This app is not set up correctly, so nobody can sign in. Please tell the people who run it."
UNREACHABLE = "The sign-in service cannot be reached at the moment. Please try again in a little while."
UNTRUSTED = "The answer of the sign-in service could not be verified, so nobody was signed in. Please try again later."
START_AGAIN = (
    "This sign-in is no longer valid: it was used already, took too long, or began elsewhere. Please start again."
)
NOT_UNDERSTOOD = "The sign-in did not work, and nobody was signed in. Please start again."
CANCELLED = "You cancelled the sign-in. Nobody was signed in."
DECLINED = "The sign-in service declined the sign-in, so nobody was signed in. Please start again."
NO_SUCH_SPACE = "There is no such space here. Please check the address."
LOG_IN_FIRST = "Please log in first."
NOT_FROM_HERE = "Nobody was signed out, as the request did not come from this site. Please use the sign-out button."
NO_COOKIES = (
    "Your browser sent no cookies along, so this sign-in cannot be told from somebody else's. "
    "Please allow cookies for this site and start again."
)
STUCK = (
    "Signing in works, but your browser does not keep you signed in. "
    "Please allow cookies for this site, and check that your device's date and time are right."
)

CONFIGURATION = {
    "setting_missing": Entry("A setting that the extension needs is missing; set it in app.config.", OUR_FAULT),
    "setting_invalid": Entry("A setting is wrong; change it in app.config to what is expected.", OUR_FAULT),
    "setting_unknown": Entry("No setting has this name; correct its spelling in app.config.", OUR_FAULT),
    "settings_invalid": Entry("Several settings are wrong; change each in app.config to what is expected.", OUR_FAULT),
    "session_store_unsafe": Entry(
        "The app's session store keeps a session's id at a login, so that whoever planted it would be logged in too "
        "(session fixation); use flask-session>=0.7, or Flask's own session cookie.",
        OUR_FAULT,
    ),
    "already_installed": Entry("init_app was called twice for one app; call it once.", OUR_FAULT),
    "issuer_invalid": Entry(
        "An issuer is an https URL without query, fragment or user; http is for localhost alone.", OUR_FAULT
    ),
    "issuer_not_found": Entry(
        "There is no OpenID Connect document at COBOT_OIDC_ISSUER; set it to the provider's issuer, exactly as the "
        "provider spells it.",
        OUR_FAULT,
    ),
    "algorithms_disjoint": Entry(
        "The provider signs with none of COBOT_OIDC_ALGORITHMS; add one that it lists and that you trust.", OUR_FAULT
    ),
    "client_refused": Entry(
        "The provider does not take our client; compare COBOT_OIDC_CLIENT_ID and COBOT_OIDC_CLIENT_SECRET with the "
        "client's registration, and try the other COBOT_OIDC_CLIENT_AUTH: client_secret_basic or client_secret_post.",
        OUR_FAULT,
    ),
    "redirect_uri_unknown": Entry(
        "The request's host is not validated; set COBOT_OIDC_REDIRECT_URI, or Flask's SERVER_NAME or TRUSTED_HOSTS.",
        OUR_FAULT,
        400,  # a stranger can send any Host
    ),
    "https_required": Entry(
        "Sign-in needs https outside localhost; behind a proxy set COBOT_OIDC_REDIRECT_URI or use ProxyFix.", OUR_FAULT
    ),
    "space_name_invalid": Entry(
        "login_required(space=…) takes a space's subdomain at Cobot, a lower-case DNS label, or None for the global "
        "provider; no space can have this name.",
        OUR_FAULT,
    ),
    "not_installed": Entry("This app has no cobot_oidc yet; call oidc.init_app(app), or CobotOIDC(app).", OUR_FAULT),
    "guard_misplaced": Entry(
        "@login_required stands above the decorator that registers the view, so that the view is open to everybody; "
        "put @login_required below @app.get.",
        OUR_FAULT,
    ),
    "view_arg_unknown": Entry(
        "No URL rule of the app has the variable part that from_view_arg names, so that every page would be the global "
        "provider's; name it as the rules do.",
        OUR_FAULT,
    ),
}

PROVIDER = {
    "provider_unreachable": Entry(
        "The provider did not answer in time or not at all; the reason tells a host name that does not resolve from a "
        "connection that was refused or broke, and from a timeout. Check the network, the host name and its status.",
        UNREACHABLE,
        503,
    ),
    "provider_failing": Entry("The provider answered with an error of its own; see its status.", UNREACHABLE, 503),
    "provider_paused": Entry(
        "The provider failed several times just now, so it is left alone for a moment.", UNREACHABLE, 503
    ),
    "provider_busy": Entry("Too many requests to this provider are under way already.", UNREACHABLE, 503),
    "provider_not_found": Entry(
        "There is no OpenID Connect document at this issuer; check the space's name and COBOT_OIDC_SPACE_ISSUER.",
        NO_SUCH_SPACE,
        404,
    ),
    "response_unusable": Entry(
        "What the provider sent is too large, encoded, redirected or not what was asked for.", UNTRUSTED
    ),
    "tls_failed": Entry(  # to a stranger the same as any other failure to connect
        "The provider's TLS certificate could not be verified, or it does not speak TLS; check COBOT_OIDC_CA_BUNDLE "
        "and what sits in between.",
        UNREACHABLE,
        503,
    ),
    "metadata_unusable": Entry("The provider's document is no OpenID Connect document.", UNTRUSTED),
    "metadata_issuer_mismatch": Entry(
        "The document is another issuer's; configure the issuer exactly as the provider spells it.", UNTRUSTED
    ),
    "endpoint_forbidden": Entry(
        "The document names an endpoint where none may be; if it is right, add its host to COBOT_OIDC_ALLOWED_HOSTS.",
        UNTRUSTED,
    ),
    "endpoint_unusable": Entry("The authorization endpoint's own query cannot be kept beside ours.", UNTRUSTED),
    "key_set_unusable": Entry("The provider's key set is no JWK Set.", UNTRUSTED),
    "token_response_unusable": Entry("The provider's answer to the code is no token response.", UNTRUSTED),
    "userinfo_unusable": Entry(
        "The provider's userinfo is not about the subject of the id token, or no JSON.", UNTRUSTED
    ),
}

TOKEN = {
    "token_malformed": Entry("The token is not a JWS in compact serialisation (RFC 7515 section 7.1).", UNTRUSTED),
    "token_too_large": Entry("The token has more than 16 kB.", UNTRUSTED),
    "header_malformed": Entry("The token's header is no strict JSON object.", UNTRUSTED),
    "header_forbidden": Entry("The token's header asks for what is not supported, or brings its own key.", UNTRUSTED),
    "token_type_wrong": Entry("The token is not a JWT, but of another type.", UNTRUSTED),
    "algorithm_forbidden": Entry(
        "The token's algorithm is not configured; add it to COBOT_OIDC_ALGORITHMS if you trust it.",
        UNTRUSTED,
    ),
    "kid_malformed": Entry("The token's kid is no text of 1 to 256 characters.", UNTRUSTED),
    "kid_required": Entry("The token names no key, and the configuration wants one.", UNTRUSTED),
    "key_unknown": Entry("The provider has published no usable key of the token's kid.", UNTRUSTED),
    "key_unsuitable": Entry(
        "The key of this kid is not for the token's algorithm; set COBOT_OIDC_ALGORITHMS to what the keys are for.",
        UNTRUSTED,
    ),
    "key_ambiguous": Entry("Too many keys could be meant; the provider should name each one.", UNTRUSTED),
    "signature_invalid": Entry("The signature is not that of the provider's keys.", UNTRUSTED),
    "payload_malformed": Entry("The token's payload is no strict JSON object.", UNTRUSTED),
    "issuer_mismatch": Entry("The token is from another issuer than the one that was asked.", UNTRUSTED),
    "audience_mismatch": Entry("The token is not for our client.", UNTRUSTED),
    "audience_untrusted": Entry(
        "The token is for others too; list them in COBOT_OIDC_TRUSTED_AUDIENCES if you trust them.", UNTRUSTED
    ),
    "authorized_party_mismatch": Entry("The token was issued to another client (azp).", UNTRUSTED),
    "time_malformed": Entry("A time in the token is missing or no NumericDate.", UNTRUSTED),
    "expired": Entry("The token has expired; if it is new, this machine's clock is ahead.", UNTRUSTED),
    "exp_too_far": Entry("The token expires more than 366 days from now.", UNTRUSTED),
    "clock_skew": Entry("The token is from the future; compare this machine's clock with the provider's.", UNTRUSTED),
    "issued_too_long_ago": Entry(
        "The token was issued too long ago; if it is new, this machine's clock is ahead.", UNTRUSTED
    ),
    "exp_not_after_iat": Entry("The token expires before it was issued.", UNTRUSTED),
    "not_yet_valid": Entry("The token is not valid yet (nbf); compare the clocks.", UNTRUSTED),
    "nonce_mismatch": Entry("The token is not of this login (nonce).", UNTRUSTED),
    "nonce_unexpected": Entry("The token is of another login: it has a nonce where none was sent.", UNTRUSTED),
    "subject_malformed": Entry("The subject is not 1 to 255 printable ASCII characters.", UNTRUSTED),
    "authentication_too_old": Entry("The person signed in at the provider longer ago than max_age.", UNTRUSTED),
    "at_hash_mismatch": Entry("The id token and the access token do not belong together (at_hash).", UNTRUSTED),
}

LOGIN = {
    "space_unknown": Entry("The request names no space that this app serves (COBOT_OIDC_SPACES).", NO_SUCH_SPACE, 404),
    "login_required": Entry("Nobody is logged in to this request's space.", LOG_IN_FIRST, 401),
    "response_malformed": Entry("The answer in the callback's URL is not well formed.", NOT_UNDERSTOOD),
    "transaction_unknown": Entry(
        "No login of this browser has this state: it was used, has expired, or began in another browser or at another "
        "host (localhost and 127.0.0.1 are different sites); or the browser keeps no cookies.",
        START_AGAIN,
    ),
    "cookies_missing": Entry(
        "The browser came back without any cookie: it blocks them, this answer belongs to another browser, or the "
        "login began at another host than the redirect URI's (localhost and 127.0.0.1 are different sites).",
        NO_COOKIES,
    ),
    "transaction_expired": Entry("The person took more than ten minutes to sign in.", START_AGAIN),
    "transaction_used": Entry("The same answer came a second time.", START_AGAIN),
    "transaction_outdated": Entry("The app's issuers were configured anew during this login.", START_AGAIN),
    "callback_mismatch": Entry(
        "The answer came to another callback than the one that its login named: a mix-up of issuers, or the app's URL "
        "was configured anew during the login.",
        NOT_UNDERSTOOD,
    ),
    "response_issuer_missing": Entry("The answer has no iss, though the provider promises one.", NOT_UNDERSTOOD),
    "response_issuer_mismatch": Entry("The answer is from another issuer than the one that was asked.", NOT_UNDERSTOOD),
    "cancelled": Entry("The person declined at the provider (access_denied, consent_required).", CANCELLED, 403),
    "interaction_required": Entry("The provider wants the person to act first.", DECLINED, 403),
    "provider_declined": Entry(
        "The provider answered with an error; compare scopes and redirect URI with the client's registration.", DECLINED
    ),
    "code_refused": Entry("The provider did not take the code: used, expired, or not ours.", START_AGAIN),
    "session_too_large": Entry(
        "The session would not fit into a cookie; keep fewer claims (COBOT_OIDC_CLAIMS) or use Flask-Session.",
        OUR_FAULT,
        500,
    ),
    "login_stuck": Entry(
        "The browser logged in several times within a minute and its session was lost each time; check "
        "SESSION_COOKIE_SECURE, _DOMAIN and _PATH, the session's size, and the clocks of all machines.",
        STUCK,
        403,
    ),
    "logout_cross_site": Entry(
        "A logout came from another site, or without Origin and Sec-Fetch-Site; post a form of your own.",
        NOT_FROM_HERE,
        403,
    ),
    "prefix_malformed": Entry(
        "The path that the app is mounted at (SCRIPT_NAME, or X-Forwarded-Prefix with ProxyFix) is not a plain path; "
        "let the proxy set that header, whatever clients send.",
        NOT_UNDERSTOOD,
    ),
}

CATALOGUE: dict[str, Entry] = CONFIGURATION | PROVIDER | TOKEN | LOGIN
