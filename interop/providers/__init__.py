"""The providers that are tried. Another one is a folder here, and a line below."""

from .canaille import CANAILLE
from .django_oauth_toolkit import DJANGO_OAUTH_TOOLKIT
from .glewlwyd import GLEWLWYD
from .lemonldap_ng import LEMONLDAP_NG
from .oidc_provider import OIDC_PROVIDER

PROVIDERS = {
    provider.name: provider for provider in (OIDC_PROVIDER, DJANGO_OAUTH_TOOLKIT, CANAILLE, GLEWLWYD, LEMONLDAP_NG)
}
