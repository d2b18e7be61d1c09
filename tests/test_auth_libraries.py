"""The course's tokens and those of PyJWT and joserfc, both ways: what one signs, the others read."""

import base64
import json

import joserfc.errors
import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from token_cases import ISSUER, NOW, VERIFIERS, claims_with, key, policy, said

from labs.auth import keys, tokens
from labs.auth.algorithms import ALGORITHMS
from labs.auth.token_errors import BadSignature

JOSERFC = {"HS256": OctKey, "RS256": RSAKey, "ES256": ECKey, "EdDSA": OKPKey}
ODD = claims_with(sub="Zoë 🌿", empty={}, roles=["a", "b"], ratio=0.1, large=2**60, none=None)

pytestmark = [
    pytest.mark.parametrize("alg", ALGORITHMS),
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),  # the name, not the algorithm: RFC 9864
]


@pytest.fixture(params=VERIFIERS, ids=said)
def verify(request):
    return request.param


def theirs(alg, private):
    """A key of ours as joserfc reads it."""
    if alg == "HS256":
        return OctKey.import_key(key(alg).signs)
    if private:
        text = key(alg).signs.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    else:
        text = key(alg).verifies.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return JOSERFC[alg].import_key(text)


def ours(alg):
    return tokens.issue(key(alg), "ana", "accounts", NOW, city="Zürich", roles=["a", "b"])


def test_pyjwt_reads_ours(alg):
    with time_machine.travel(NOW, tick=False):
        claims = jwt.decode(ours(alg), key(alg).verifies, algorithms=[alg], audience="accounts", issuer=ISSUER)
    assert (claims["sub"], claims["city"], claims["roles"]) == ("ana", "Zürich", ["a", "b"])
    assert jwt.get_unverified_header(ours(alg)) == {"alg": alg, "kid": f"the-{alg}", "typ": "at+jwt"}


def test_joserfc_reads_ours(alg):
    read = joserfc_jws.deserialize_compact(ours(alg), theirs(alg, private=False), algorithms=[alg])
    assert json.loads(read.payload)["city"] == "Zürich"
    assert read.headers() == {"alg": alg, "kid": f"the-{alg}", "typ": "at+jwt"}


def test_pyjwts_are_read(alg, verify):
    token = jwt.encode(ODD, key(alg).signs, algorithm=alg, headers={"kid": f"the-{alg}", "typ": "at+jwt"})
    assert verify(token, policy()) == ODD


def test_joserfcs_are_read(alg, verify):
    header = {"alg": alg, "kid": f"the-{alg}", "typ": "at+jwt"}
    payload = json.dumps(ODD, ensure_ascii=False, indent=2)
    token = joserfc_jws.serialize_compact(header, payload, theirs(alg, private=True), algorithms=[alg])
    assert verify(token, policy()) == ODD


def test_all_three_refuse_a_token_that_another_key_signed(alg, verify):
    other = keys.generate(alg, ISSUER, f"the-{alg}")
    token = tokens.issue(other, "ana", "accounts", NOW)
    with pytest.raises(BadSignature):
        verify(token, policy())
    with pytest.raises(jwt.InvalidSignatureError), time_machine.travel(NOW, tick=False):
        jwt.decode(token, key(alg).verifies, algorithms=[alg], audience="accounts")
    with pytest.raises(joserfc.errors.BadSignatureError):
        joserfc_jws.deserialize_compact(token, theirs(alg, private=False), algorithms=[alg])


def test_each_reads_the_others_public_keys(alg):
    if alg == "HS256":
        secret = base64.urlsafe_b64encode(key(alg).verifies).rstrip(b"=").decode()
        jwk = {"kty": "oct", "k": secret, "alg": alg, "kid": "a key"}
    else:
        jwk = keys.jwk_of(key(alg))
        assert not {"d", "p", "q", "k"} & set(jwk)
        again = keys.from_jwk(theirs(alg, private=False).as_dict() | {"alg": alg, "kid": "a key"}, ISSUER)
        assert again.verifies == key(alg).verifies
    assert keys.from_jwk(jwk, ISSUER).verifies == key(alg).verifies
    with time_machine.travel(NOW, tick=False):
        assert jwt.decode(ours(alg), jwt.PyJWK(jwk), audience="accounts")["sub"] == "ana"
    joserfc_jws.deserialize_compact(ours(alg), JOSERFC[alg].import_key(jwk), algorithms=[alg])
