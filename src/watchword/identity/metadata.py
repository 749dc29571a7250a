"""What is published about this installation, for programs that set themselves up by it: what is on, no more."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from watchword.crypto.client_keys import ASSERTION_ALGORITHMS
from watchword.identity.client_metadata import ID_TOKEN_ALGORITHMS
from watchword.identity.scopes import OPENID_SCOPES, ScopeCatalogue
from watchword.identity.user_claims import claims_of
from watchword.model import ACR_SECOND_FACTOR, ClientAuthMethod

_LOGIN_CLAIMS: Final = ("sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid", "nonce", "at_hash")
_CODE_GRANT: Final = "authorization_code"


@dataclass(frozen=True, slots=True)
class Metadata:
    """Describes the authorization server and the resource server.

    Attributes:
        issuer: The exact `iss`.
        endpoints: The address that our endpoints are below.
        resource: The `aud` of access tokens.
        scopes: What the host declares.
        profile_fields: What users tell about themselves.
        languages: What our pages speak.
    """

    issuer: str
    endpoints: str
    resource: str
    scopes: ScopeCatalogue
    profile_fields: frozenset[str]
    languages: Collection[str]

    def authorization_server(self, grants: Collection[str]) -> dict[str, Any]:
        """One document for RFC 8414 §2 and OpenID Connect Discovery §3, which know each other's names.

        Args:
            grants: Those that the token endpoint knows.
        """
        has_secret = [method.value for method in ClientAuthMethod if method is not ClientAuthMethod.NONE]
        return {
            "issuer": self.issuer,
            "token_endpoint": f"{self.endpoints}/token",
            "token_endpoint_auth_methods_supported": [method.value for method in ClientAuthMethod],
            "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
            "revocation_endpoint": f"{self.endpoints}/revoke",
            "revocation_endpoint_auth_methods_supported": [method.value for method in ClientAuthMethod],
            "introspection_endpoint": f"{self.endpoints}/introspect",
            "introspection_endpoint_auth_methods_supported": has_secret,
            "jwks_uri": f"{self.endpoints}/jwks",
            "grant_types_supported": sorted(grants),
            **({"scopes_supported": sorted(self.scopes.declared)} if self.scopes.declared else {}),
            **(self._openid() if _CODE_GRANT in grants else {}),
        }

    def protected_resource(self) -> dict[str, Any]:
        """What programs that call the host's own endpoints need to know (RFC 9728 §2)."""
        return {
            "resource": self.resource,
            "authorization_servers": [self.issuer],
            "bearer_methods_supported": ["header"],
            **({"scopes_supported": sorted(self.scopes.declared)} if self.scopes.declared else {}),
        }

    def _openid(self) -> dict[str, Any]:
        """What there is with our pages: logins for third parties."""
        openid_scopes = frozenset(OPENID_SCOPES)
        return {
            "authorization_endpoint": f"{self.endpoints}/authorize",
            "userinfo_endpoint": f"{self.endpoints}/userinfo",
            "end_session_endpoint": f"{self.endpoints}/end-session",
            "scopes_supported": sorted({*openid_scopes, *self.scopes.declared}),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [algorithm.value for algorithm in ID_TOKEN_ALGORITHMS],
            "acr_values_supported": [ACR_SECOND_FACTOR],
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "claim_types_supported": ["normal"],
            "claims_supported": [*_LOGIN_CLAIMS, *claims_of(openid_scopes, self.profile_fields)],
            "claims_parameter_supported": True,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,  # what is not there means yes
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            **({"ui_locales_supported": list(self.languages)} if self.languages else {}),
        }
