"""Verifies signed results with PyJWT (pip install "pyjwt[crypto]", or Debian's python3-jwt)."""

from __future__ import annotations

import jwt


class Verifier:
    def __init__(self, url: str, issuer: str, tenant: str):
        self._keys = jwt.PyJWKClient(f"{url}/.well-known/jwks.json", lifespan=300)  # reads again when a key is unknown
        self._issuer, self._tenant = issuer, tenant

    def verify(self, result: str) -> dict:
        """The claims of a result that this Liveproof signed for this tenant and that is still valid; jwt.PyJWTError
        when it is none."""
        if jwt.get_unverified_header(result).get("typ") != "liveproof-result+jwt":
            raise jwt.InvalidTokenError("not a signed result")
        key = self._keys.get_signing_key_from_jwt(result).key
        required = {"require": ["iss", "aud", "sub", "exp"]}
        return jwt.decode(result, key, algorithms=["EdDSA"], issuer=self._issuer, audience=self._tenant, options=required)
