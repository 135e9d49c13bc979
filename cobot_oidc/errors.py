"""Every error of this package: its class, its code, a sentence for people and a hint for the operator.

They are all in one place, so that pages, logs, documents and translations cannot drift apart. An error carries what a
person, an operator and a program may each safely read. Imports nothing of ours.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Self
from urllib.parse import quote_plus

ConfigurationCode = Literal[
    "setting_missing",
    "setting_invalid",
    "setting_unknown",
    "settings_invalid",
    "session_store_unsafe",
    "already_installed",
    "issuer_invalid",
    "issuer_not_found",
    "algorithms_disjoint",
    "client_refused",
    "redirect_uri_unknown",
    "https_required",
    "space_name_invalid",
    "not_installed",
    "guard_misplaced",
    "view_arg_unknown",
    "testing_only",
    "authorization_request_invalid",
]

ProviderCode = Literal[
    "provider_unreachable",
    "provider_failing",
    "provider_paused",
    "provider_busy",
    "provider_not_found",
    "response_unusable",
    "tls_failed",
    "metadata_unusable",
    "metadata_issuer_mismatch",
    "endpoint_forbidden",
    "endpoint_unusable",
    "key_set_unusable",
    "token_response_unusable",
    "userinfo_unusable",
    "userinfo_not_signed",
    "userinfo_encrypted",
    "pushed_request_refused",
    "pushed_request_unusable",
    "registration_unsupported",
    "registration_refused",
    "registration_unusable",
]

TokenCode = Literal[
    "token_malformed",
    "token_too_large",
    "header_malformed",
    "header_forbidden",
    "token_type_wrong",
    "algorithm_forbidden",
    "kid_malformed",
    "kid_required",
    "key_unknown",
    "key_unsuitable",
    "key_ambiguous",
    "signature_invalid",
    "payload_malformed",
    "issuer_mismatch",
    "audience_mismatch",
    "audience_untrusted",
    "authorized_party_mismatch",
    "time_malformed",
    "expired",
    "exp_too_far",
    "clock_skew",
    "issued_too_long_ago",
    "exp_not_after_iat",
    "not_yet_valid",
    "nonce_mismatch",
    "nonce_unexpected",
    "subject_malformed",
    "authentication_too_old",
    "requested_claim_unmet",
    "at_hash_mismatch",
    "subject_changed",
    "authentication_changed",
    "logout_of_nobody",
    "session_malformed",
    "event_missing",
    "jti_malformed",
]

LoginCode = Literal[
    "space_unknown",
    "login_required",
    "response_malformed",
    "transaction_unknown",
    "cookies_missing",
    "transaction_expired",
    "transaction_used",
    "transaction_outdated",
    "callback_mismatch",
    "response_issuer_missing",
    "response_issuer_mismatch",
    "cancelled",
    "interaction_required",
    "provider_declined",
    "code_refused",
    "session_too_large",
    "login_stuck",
    "logout_cross_site",
    "prefix_malformed",
    "membership_required",
    "admin_required",
    "membership_unknown",
    "ticket_refused",
    "frame_of_somebody_else",
    "frame_cross_site",
    "logout_request_malformed",
    "logout_issuer_unknown",
    "logout_not_shared",
]

APICode = Literal[
    "token_missing",
    "space_token_missing",
    "token_unavailable",
    "token_spent",
    "token_refused",
    "token_not_renewed",
    "refresh_refused",
    "insufficient_scope",
    "rights_limited",
    "request_forbidden",
    "resource_not_found",
    "request_invalid",
    "request_refused",
    "rate_limited",
    "api_unreachable",
    "api_busy",
    "api_failing",
    "answer_unusable",
    "address_forbidden",
    "space_token_foreign",
    "space_token_not_kept",
]


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

NOT_A_MEMBER = (
    "You are not a member of this space. If you should be, please ask the people who run the space to invite you."
)
NOT_AN_ADMIN = "Only the people who run this space may see this page. If you should be one of them, please ask them."
MEMBERSHIP_UNKNOWN = (
    "Cobot cannot tell at the moment whether you are a member of this space. Please try again in a little while."
)
SOMEBODY_ELSE = (
    "At Cobot you are logged in as a different person from the one who is logged in here. "
    "Please log in at Cobot as the person you want to be, and open this page again."
)
ELSEWHERE = "This was not done, because the request did not come from this site. Please use the buttons on its pages."
RENEW_LOGIN = "Cobot no longer accepts this login. Please log in again."
NOT_GRANTED = "This app may not do this for you, because you have not allowed it to at Cobot."
NOT_PERMITTED = "Cobot does not permit you to do this. Please ask the people who run the space."
NOT_AT_COBOT = "Cobot does not have what you were looking for. It may have been deleted."
NOT_ACCEPTED = "Cobot did not accept this. Please check what you entered."
TOO_MUCH = "Cobot limits how many requests a minute it answers for each person. Please try again in a little while."
COBOT_AWAY = "Cobot cannot be reached at the moment. Please try again in a little while."
COBOT_CONFUSED = "Something went wrong between this app and Cobot. Please try again later."

CONFIGURATION: dict[ConfigurationCode, Entry] = {
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
        "client's registration, and try the other COBOT_OIDC_CLIENT_AUTH: client_secret_basic or client_secret_post. "
        "With private_key_jwt, register the output of `flask cobot keys --client`, and compare this machine's clock.",
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
        "A guard is above the decorator that registers the view, so the view is open to everybody; "
        "put @login_required below @app.get, and likewise every other guard.",
        OUR_FAULT,
    ),
    "view_arg_unknown": Entry(
        "No URL rule of the app has the variable part that from_view_arg names, so every page would belong to the "
        "global provider; use the name that the rules have.",
        OUR_FAULT,
    ),
    "testing_only": Entry(
        "cobot_oidc.testing lets people in without a login, so it only works while app.testing is True.", OUR_FAULT
    ),
    "authorization_request_invalid": Entry(
        "The function that the app decorated with @oidc.authorization_request returned a parameter that it must not "
        "add to a login, or an invalid value; return what is expected.",
        OUR_FAULT,
    ),
}

PROVIDER: dict[ProviderCode, Entry] = {
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
        "The userinfo response is neither a JSON object nor a signed JWT, or is about another subject than the id "
        "token; report it to the provider.",
        UNTRUSTED,
    ),
    "userinfo_not_signed": Entry(
        'COBOT_OIDC_USERINFO is "signed", but the userinfo response is plain JSON; register the client with a '
        "userinfo_signed_response_alg, or set COBOT_OIDC_USERINFO to True.",
        UNTRUSTED,
    ),
    "userinfo_encrypted": Entry(
        "The userinfo response is encrypted, which is not supported; register the client without a "
        "userinfo_encrypted_response_alg.",
        UNTRUSTED,
    ),
    "pushed_request_refused": Entry(
        "The provider refused the pushed authorization request; see the error in the details, and compare the scopes "
        "and the redirect URI with the client's registration.",
        OUR_FAULT,
    ),
    "pushed_request_unusable": Entry(
        "Logins have to be pushed to the provider first (COBOT_OIDC_PUSHED_AUTHORIZATION_REQUESTS, or the provider's "
        "document says so), but the document names no pushed_authorization_request_endpoint, or its response does not "
        "follow RFC 9126; report it to the provider, or unset the setting. Ordinary requests are not used instead.",
        UNTRUSTED,
    ),
    "registration_unsupported": Entry(
        "The provider's discovery document names no registration_endpoint; register the client on the provider's own "
        "pages, such as dev.cobot.me/oauth2_clients, and set COBOT_OIDC_CLIENT_ID and COBOT_OIDC_CLIENT_SECRET.",
        OUR_FAULT,
    ),
    "registration_refused": Entry(
        "The provider refused to register the client: invalid_redirect_uri means that it does not accept the redirect "
        "URI, and invalid_client_metadata that it does not accept the name, the scopes or the authentication. Status "
        "401 or 403 means that it does not let everybody register clients: use the provider's own pages.",
        OUR_FAULT,
    ),
    "registration_unusable": Entry(
        "The provider's response to the registration does not follow RFC 7591; check on the provider's own pages "
        "whether it registered a client anyway, and report it to the provider.",
        OUR_FAULT,
    ),
}

TOKEN: dict[TokenCode, Entry] = {
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
    "token_type_wrong": Entry(
        "The token's type (typ) is that of another kind of token: an id token is a JWT, a logout token a logout+jwt or "
        "a JWT, a userinfo response a userinfo+jwt, a token-userinfo+jwt or a JWT; report it to the provider.",
        UNTRUSTED,
    ),
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
        "The provider's key set has no usable key with the token's kid; if this persists, the provider has to publish "
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
        "The token was not issued by the issuer that this login used (iss); report it to the provider.",
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
    "requested_claim_unmet": Entry(
        "The token lacks a claim that the app asked for as essential (oidc.authorization_request), or the claim has a "
        "value that the app does not accept, such as an acr that gives less assurance; the provider has to support the "
        "claims parameter.",
        UNTRUSTED,
    ),
    "at_hash_mismatch": Entry(
        "The id token and the access token do not belong together (at_hash); report it to the provider.",
        UNTRUSTED,
    ),
    "subject_changed": Entry(
        "A refreshed id token is about another person (sub), so the login was ended; report it to the provider.",
        UNTRUSTED,
    ),
    "authentication_changed": Entry(
        "A refreshed id token is about another authentication (auth_time) than the original one, so the login was "
        "ended; report it to the provider.",
        UNTRUSTED,
    ),
    "logout_of_nobody": Entry(
        "The logout token names neither a subject (sub) nor a session (sid); report it to the provider.", UNTRUSTED
    ),
    "session_malformed": Entry(
        "The logout token's session (sid) is not a string of 1 to 255 characters; report it to the provider.", UNTRUSTED
    ),
    "event_missing": Entry(
        "The logout token's events claim does not contain the back-channel logout event as an object; if this is an id "
        "token, or a token about another event, it was sent to the wrong URL.",
        UNTRUSTED,
    ),
    "jti_malformed": Entry(
        "The logout token's identifier (jti) is not a string of 1 to 255 characters; report it to the provider.",
        UNTRUSTED,
    ),
}

LOGIN: dict[LoginCode, Entry] = {
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
        "The response was not sent to the callback that this login named: somebody attempted a mix-up attack, or the "
        "app's URL was changed during the login.",
        NOT_UNDERSTOOD,
    ),
    "response_issuer_missing": Entry(
        "The response has no iss, although the provider's discovery document promises one; report it to the provider.",
        NOT_UNDERSTOOD,
    ),
    "response_issuer_mismatch": Entry(
        "The response did not come from the issuer that this login used (iss).",
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
        "The provider answered with an error; compare the scopes and the redirect URI with the client's registration. "
        "If the error says that requests have to be pushed, set COBOT_OIDC_PUSHED_AUTHORIZATION_REQUESTS.",
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
    "membership_required": Entry("The person is logged in, but is not a member of this space.", NOT_A_MEMBER, 403),
    "admin_required": Entry("The person is logged in, but does not administer this space.", NOT_AN_ADMIN, 403),
    "membership_unknown": Entry(
        "Cobot could not be asked whether the person is a member of this space, and no earlier answer is recent "
        "enough; COBOT_OIDC_MEMBERSHIP_STALE allows an older one.",
        MEMBERSHIP_UNKNOWN,
        503,
    ),
    "ticket_refused": Entry(
        "The ticket that brings a login into a frame is not valid: it is older than a minute, was redeemed already, or "
        "belongs to another frame.",
        START_AGAIN,
    ),
    "frame_of_somebody_else": Entry(
        "The person who is logged in is not the one to whom Cobot shows the frame (cobot_user_id).", SOMEBODY_ELSE, 403
    ),
    "frame_cross_site": Entry(
        "A request that changes something came from a frame, but not from a page of this app.", ELSEWHERE, 403
    ),
    "logout_request_malformed": Entry(
        "A back-channel logout has to be a form (application/x-www-form-urlencoded) of at most 32 kB with one "
        "logout_token; it may not have come from a provider.",
        NOT_UNDERSTOOD,
    ),
    "logout_issuer_unknown": Entry(
        "The logout token comes from an issuer that this app does not trust at this URL, or at which nobody is logged "
        "in: register /cobot/backchannel-logout for the provider's client, and "
        "/cobot/backchannel-logout/<space> for an issuer with a client of its own.",
        NOT_UNDERSTOOD,
    ),
    "logout_not_shared": Entry(
        "The logout took effect in this process only, as Redis cannot be reached; check COBOT_OIDC_REDIS_URL and "
        "Redis itself.",
        NOT_UNDERSTOOD,
    ),
}

API: dict[APICode, Entry] = {
    "token_missing": Entry(
        "There is no access token for this person: they logged in before COBOT_OIDC_KEEP_TOKEN was set, or Redis has "
        "lost the token; logging in again brings a new one.",
        RENEW_LOGIN,
        401,
    ),
    "space_token_missing": Entry(
        "No token is kept for this space: no admin of it has asked for one with oidc.api.space_token, it was "
        "forgotten, or Redis has lost it; ask an admin to do it again.",
        COBOT_CONFUSED,
        503,
    ),
    "token_unavailable": Entry(
        "The access token is in Redis, which cannot be reached; check COBOT_OIDC_REDIS_URL and Redis itself.",
        COBOT_CONFUSED,
        503,
    ),
    "token_spent": Entry(
        "This client of the API belonged to a login that has ended; to call the API later, set COBOT_OIDC_KEEP_TOKEN "
        "and use oidc.api.",
        COBOT_CONFUSED,
        500,
    ),
    "token_refused": Entry(
        "Cobot does not accept the access token: it was revoked, or belongs to another provider; logging in again "
        "brings a new one.",
        RENEW_LOGIN,
        401,
    ),
    "token_not_renewed": Entry(
        "The access token has expired, and the provider cannot be asked for a new one at the moment; the person stays "
        "logged in. Check the provider's status page.",
        COBOT_AWAY,
        503,
    ),
    "refresh_refused": Entry(
        "The provider did not renew the access token, so the login was ended: the refresh token has expired or was "
        "revoked, or another process used it before (refresh tokens that change need COBOT_OIDC_REDIS_URL).",
        RENEW_LOGIN,
        401,
    ),
    "insufficient_scope": Entry(
        "The access token lacks the scope that this needs; add it to COBOT_OIDC_SCOPES, or decorate the view with "
        "requires_scope.",
        NOT_GRANTED,
        403,
    ),
    "rights_limited": Entry(
        "The scope was granted, but the person's own rights in the space do not suffice: an admin's permissions may "
        "have been revoked since.",
        NOT_PERMITTED,
        403,
    ),
    "request_forbidden": Entry("Cobot refused the request (403), and did not say why.", NOT_PERMITTED, 403),
    "resource_not_found": Entry(
        "Cobot has no such resource, or does not show it to this person; check the path, the space and the id.",
        NOT_AT_COBOT,
        404,
    ),
    "request_invalid": Entry(
        "Cobot did not accept the values (422); the error's fields say which, and why.", NOT_ACCEPTED, 422
    ),
    "request_refused": Entry(
        "Cobot refused the request itself; compare its method, path and body with Cobot's documentation.",
        COBOT_CONFUSED,
        500,
    ),
    "rate_limited": Entry(
        "This person's request limit is used up for longer than the caller was willing to wait; wait, make fewer "
        "requests, or allow a longer wait.",
        TOO_MUCH,
        503,
    ),
    "api_unreachable": Entry(
        "Cobot's API did not answer, or not in time; check the network and Cobot's status page.", COBOT_AWAY, 503
    ),
    "api_busy": Entry(
        "Too many requests to Cobot's API are already under way; check whether it is slow.", COBOT_AWAY, 503
    ),
    "api_failing": Entry(
        "Cobot's API answered with a server error; check its status page, and try again later.", COBOT_AWAY, 503
    ),
    "answer_unusable": Entry(
        "The response of Cobot's API cannot be used: it is too large, redirected, or not what its media type says; "
        "check the path, and any proxy in between.",
        COBOT_CONFUSED,
        502,
    ),
    "address_forbidden": Entry(
        "The path or a link would lead the access token away from Cobot's API; pass paths such as /bookings, and "
        "report links to Cobot.",
        COBOT_CONFUSED,
        500,
    ),
    "space_token_foreign": Entry(
        "Cobot issued the space's token to a client other than ours, so it was not kept.", COBOT_CONFUSED, 502
    ),
    "space_token_not_kept": Entry(
        "Redis could not store the space's token, so jobs would not find it; check Redis, and ask the admin to try "
        "again.",
        COBOT_CONFUSED,
        503,
    ),
}

RECOGNIZABLE = 8  # characters of a secret
LONGEST_DETAIL = 200  # characters of a value from outside that are logged

_OUR_WORDS = frozenset(("setting", "expected", "reason"))


class CobotOIDCError(Exception):
    """Base of every error that this package raises on purpose.

    :ivar code: stable and for machines, such as ``issuer_mismatch``; one of the class's own.
    :ivar status: the HTTP status of a page about this error.
    :cvar entries: what is said about each code of the class.
    :ivar sentence: what happened and what to do next, for the person in front of the browser; contains
        nothing from outside.
    :ivar hint: what happened and what to do next, for the operator.
    :ivar details: what was expected and what came. ``setting``, ``expected`` and ``reason`` are our own words;
        every other value may come from outside, and is a number or its ``ascii`` of at most 200 characters. A detail is
        never a secret: the code that raises the error passes only values that may be logged.
    :ivar correlation_id: the same on the page and in the log record of a failed login, otherwise ``None``.
    """

    default_status: ClassVar[int] = 500
    entries: ClassVar[Mapping[Any, Entry]] = {
        **CONFIGURATION,
        **PROVIDER,
        **TOKEN,
        **LOGIN,
        **API,
    }

    def __init__(self, code: str, **details: object) -> None:
        entry = self.entries[code]
        self.code = code
        self.status = entry.status or self.default_status
        self.sentence = entry.sentence
        self.hint = entry.hint
        self.details = {name: _detail(name, value) for name, value in details.items()}
        self.correlation_id: str | None = None
        super().__init__(code)

    def __str__(self) -> str:
        seen = ", ".join(f"{name} {value}" for name, value in self.details.items())
        return f"{self.code}: {self.hint}" + (f" ({seen})" if seen else "")

    def note(self, **details: object) -> None:
        """Add to ``details``; the values may come from outside."""
        self.details |= {name: _detail(name, value) for name, value in details.items()}

    def conceal(self, secrets: Iterable[str]) -> None:
        """Leave out the details that repeat a secret, as a provider may that was sent it (L01, L02).

        :param secrets: those that were sent, plain or as a form encodes them; the beginning of one is enough to leave a
            detail out.
        """
        sent = [
            written for secret in secrets if len(secret) >= RECOGNIZABLE for written in (secret, quote_plus(secret))
        ]
        beginnings = [written[:RECOGNIZABLE] for written in sent]
        for name, value in self.details.items():
            if isinstance(value, str) and any(beginning in value for beginning in beginnings):
                self.details[name] = "not shown, as it repeats a secret"

    def copy(self) -> Self:
        """A copy of this error without its traceback, for another thread or to be kept."""
        error = type(self)(self.code)
        error.details = dict(self.details)
        return error

    def __reduce__(self) -> tuple[object, ...]:
        return (_restored, (type(self), self.code, self.details))


class ConfigurationError(CobotOIDCError):
    """A setting of the app is wrong; raised by ``init_app``, or later if only a request or the network can tell.

    ``init_app`` reports all problems in one error: if there are several, its code is ``settings_invalid``.
    """

    default_status = 500
    entries = CONFIGURATION
    _several: tuple["ConfigurationError", ...] = ()

    def __init__(self, code: ConfigurationCode, **details: object) -> None:
        super().__init__(code, **details)

    @staticmethod
    def together(problems: Sequence["ConfigurationError"]) -> "ConfigurationError":
        """One error about all of these problems; a single problem is returned as it is."""
        if len(problems) == 1:
            return problems[0]
        error = ConfigurationError("settings_invalid", problems=len(problems))
        error._several = tuple(problems)
        return error

    @property
    def problems(self) -> tuple["ConfigurationError", ...]:
        """The problems that were found together; otherwise only this error."""
        return self._several or (self,)

    def __str__(self) -> str:
        return "\n- ".join([super().__str__(), *map(str, self._several)])

    def copy(self) -> Self:
        error = super().copy()
        error._several = self._several
        return error

    def __reduce__(self) -> tuple[object, ...]:
        return (ConfigurationError.together, (self._several,)) if self._several else super().__reduce__()


class ProviderError(CobotOIDCError):
    """The provider cannot be reached, or its answer violates the specifications."""

    default_status = 502
    entries = PROVIDER

    def __init__(self, code: ProviderCode, **details: object) -> None:
        super().__init__(code, **details)


class TokenError(CobotOIDCError):
    """A token could not be verified: the token, its key or one of its claims is not valid."""

    default_status = 502
    entries = TOKEN

    def __init__(self, code: TokenCode, **details: object) -> None:
        super().__init__(code, **details)


class LoginError(CobotOIDCError):
    """This login cannot continue: it was cancelled, has expired, is not ours, or is malformed."""

    default_status = 400
    entries = LOGIN

    def __init__(self, code: LoginCode, **details: object) -> None:
        super().__init__(code, **details)


class APIError(CobotOIDCError):
    """A call of Cobot's API did not succeed.

    :ivar api_status: the HTTP status that Cobot answered with; ``None`` if no answer came, or none was asked for.
    :ivar message: what Cobot says about the failure, in its own words: text from outside, empty if it says nothing.
    :ivar fields: for ``request_invalid``, what Cobot says about each value, by the field's name, in one form for both
        generations of the API. Text from outside.
    :ivar request_id: Cobot's name for the request, for asking its support; empty if it gave none.
    """

    default_status = 502
    entries = API

    def __init__(
        self,
        code: APICode,
        *,
        api_status: int | None = None,
        message: str = "",
        fields: Mapping[str, str] | None = None,
        request_id: str = "",
        **details: object,
    ) -> None:
        told = {"http_status": api_status, "message": message, "fields": list(fields or ()), "request_id": request_id}
        super().__init__(code, **{name: value for name, value in told.items() if value}, **details)
        self.api_status = api_status
        self.message = message
        self.fields = dict(fields or {})
        self.request_id = request_id

    @property
    def retry_after_seconds(self) -> float | None:
        """How long to wait before the next try, if that is known."""
        wait = self.details.get("retry_after_seconds")
        return None if wait is None else float(wait)

    def copy(self) -> Self:
        error = super().copy()
        error.api_status, error.message, error.fields = self.api_status, self.message, dict(self.fields)
        error.request_id = self.request_id
        return error

    def __reduce__(self) -> tuple[object, ...]:
        own = {name: getattr(self, name) for name in ("api_status", "message", "fields", "request_id")}
        return (*super().__reduce__(), own)


def _detail(name: str, value: object) -> str | int | float:
    if name in _OUR_WORDS and isinstance(value, str) and value.isprintable():
        return value
    return _loggable(value)


def _loggable(value: object) -> str | int | float:
    """Make a value safe to log: it cannot forge log lines or fill a disk (L03)."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    try:
        text = ascii(value[: LONGEST_DETAIL + 1] if isinstance(value, (str, bytes, list, tuple)) else value)
    except (RecursionError, ValueError):  # it is deeply nested, or an int beyond Python's digit limit
        text = f"<{type(value).__name__}>"
    return text if len(text) <= LONGEST_DETAIL else text[: LONGEST_DETAIL - 1] + "…"


def _restored(kind: type[CobotOIDCError], code: str, details: dict[str, str | int | float]) -> CobotOIDCError:
    error = kind(code)
    error.details = dict(details)
    return error
