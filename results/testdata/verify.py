"""Verifies a signed result with joserfc and prints its claims: verify.py RESULT KEYS, the text of both."""

import json
import sys

from joserfc import jwt
from joserfc.jwk import KeySet

token = jwt.decode(sys.argv[1], KeySet.import_key_set(json.loads(sys.argv[2])), algorithms=["EdDSA"])
if token.header["typ"] != "liveproof-result+jwt":
    sys.exit("not a result")
print(json.dumps(token.claims))
