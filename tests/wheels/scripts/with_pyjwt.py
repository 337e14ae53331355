# needs: PyJWT==2.3.0
import datetime
import decimal
import hashlib
import hmac
import json

import jwt
from jwt.algorithms import Algorithm, HMACAlgorithm

key = "secret" * 8
token = jwt.encode({"some": "payload", "n": [1, None]}, key, algorithm="HS256", headers={"kid": "1"})
print(token, jwt.decode(token, key, algorithms=["HS256"]), jwt.get_unverified_header(token))
then = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
old = jwt.encode({"exp": then, "iss": "me", "aud": ["a", "b"]}, key)
late = {"verify_exp": False}
for options in (
    {},
    {"audience": "a"},
    {"options": late},
    {"options": late, "audience": "c"},
    {"options": late, "audience": "a", "issuer": "you"},
    {"options": late, "audience": "a", "issuer": "me"},
):
    try:
        print(jwt.decode(old, key, algorithms=["HS256"], **options))
    except jwt.InvalidTokenError as e:
        print(type(e).__name__, e, isinstance(e, jwt.PyJWTError))
for bad in ("x", "a.b.c", token[:-3] + "AAA", token.encode()):
    try:
        print(jwt.decode(bad, key, algorithms=["HS256"]))
    except jwt.PyJWTError as e:
        print(type(e).__name__, e)
for wrong in (
    lambda: jwt.decode(token, key, algorithms=["HS512"]),
    lambda: jwt.encode({}, key, algorithm="RS256"),
    lambda: jwt.encode("no", key),
):
    try:
        wrong()
    except (jwt.InvalidAlgorithmError, NotImplementedError, TypeError) as e:
        print(type(e).__name__, e)


class Encoder(json.JSONEncoder):
    def default(self, o):
        return str(o) if isinstance(o, decimal.Decimal) else super().default(o)


print(jwt.decode(jwt.encode({"d": decimal.Decimal("1.50")}, key, json_encoder=Encoder), options={"verify_signature": False}))


class Short(Algorithm):
    def prepare_key(self, key):
        return key.encode()

    def sign(self, msg, key):
        return hmac.new(key, msg, hashlib.sha256).digest()[:8]

    def verify(self, msg, key, sig):
        return hmac.compare_digest(sig, self.sign(msg, key))


jwt.register_algorithm("SHORT", Short())
short = jwt.encode({"a": 1}, "k", algorithm="SHORT")
print(short, jwt.decode(short, "k", algorithms=["SHORT"]))
print(HMACAlgorithm(hashlib.sha512).sign(b"m", b"k").hex()[:16], HMACAlgorithm(HMACAlgorithm.SHA256).sign(b"m", b"k").hex()[:16])
print(jwt.PyJWT({"verify_aud": False}).decode_complete(jwt.encode({"a": 1, "aud": "x"}, key), key, algorithms=["HS256"])["header"])
jwk = jwt.PyJWK.from_dict({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"})
print(jwk.key, jwk.key_type, jwt.__version__)
