"""Verifies signed results with PyJWT (pip install "pyjwt[crypto]", or Debian's python3-jwt)."""

from __future__ import annotations

import threading
import time

import jwt

KEYS_AGE = 300  # how long keys are used, in seconds: Liveproof publishes a key this long before it signs
KEYS_PAUSE = 5  # the least time between two reads, in seconds, whatever results name


class Verifier:
    def __init__(self, url: str, issuer: str, tenant: str):
        self._keys = Keys(f"{url}/.well-known/jwks.json")
        self._issuer, self._tenant = issuer, tenant

    def verify(self, result: str) -> dict:
        """The claims of a result that this Liveproof signed for this tenant and that is still valid; jwt.PyJWTError
        when it is none."""
        header = jwt.get_unverified_header(result)
        if header.get("typ") != "liveproof-result+jwt" or header["alg"] != "EdDSA":
            raise jwt.InvalidTokenError("not a signed result")
        key = self._keys.find(header.get("kid"))
        required = {"require": ["iss", "aud", "sub", "exp"]}
        return jwt.decode(result, key, algorithms=["EdDSA"], issuer=self._issuer, audience=self._tenant, options=required)


class Keys:
    """The public keys of Liveproof's results. PyJWKClient alone would read them again for every unknown id."""

    def __init__(self, url: str):
        self._client = jwt.PyJWKClient(url)
        self._lock = threading.Lock()
        self._keys: dict[str, object] = {}
        self._asked = self._read = float("-inf")  # the last attempt to read them, and the last that succeeded

    def find(self, kid: str | None) -> object:
        """The key. The keys are read again when they are old, or when the id is unknown: the key may be new. Between two attempts,
        also such that failed, is a pause: anybody can send results that name unknown keys."""
        with self._lock:
            now = time.monotonic()
            if (kid not in self._keys or now - self._read > KEYS_AGE) and now - self._asked > KEYS_PAUSE:
                self._asked = now
                self._keys = {key.key_id: key.key for key in self._client.get_jwk_set(refresh=True).keys}
                self._read = now
            if now - self._read > KEYS_AGE:
                raise jwt.PyJWTError("the keys could not be read")
            if kid not in self._keys:
                raise jwt.PyJWTError("there is no such key")
            return self._keys[kid]
