#!/usr/bin/env python3
"""Writes the vector files of this directory, without any code of ours.

Needs python3-cryptography. The tests read the committed files and never run
this; run it again only when PROTOCOL.md changes, and look at the difference.
"""
import base64
import hashlib
import os
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey, X25519PublicKey)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import (
    Encoding, PublicFormat)

HERE = os.path.dirname(os.path.abspath(__file__))
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def raw(pk):
    return pk.public_bytes(Encoding.Raw, PublicFormat.Raw)


def blake2b(data, n=32, key=b""):
    return hashlib.blake2b(data, digest_size=n, key=key).digest()


def sha256(data):
    return hashlib.sha256(data).digest()


def count(n, first=0):
    return bytes((first + i) % 256 for i in range(n))


def hchacha20(key, nonce16):
    s = list(struct.unpack("<4I", b"expand 32-byte k"))
    s += struct.unpack("<8I", key) + struct.unpack("<4I", nonce16)

    def rotl(v, n):
        return (v << n | v >> (32 - n)) & 0xffffffff

    def quarter(a, b, c, d):
        s[a] = (s[a] + s[b]) & 0xffffffff
        s[d] = rotl(s[d] ^ s[a], 16)
        s[c] = (s[c] + s[d]) & 0xffffffff
        s[b] = rotl(s[b] ^ s[c], 12)
        s[a] = (s[a] + s[b]) & 0xffffffff
        s[d] = rotl(s[d] ^ s[a], 8)
        s[c] = (s[c] + s[d]) & 0xffffffff
        s[b] = rotl(s[b] ^ s[c], 7)

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *(s[:4] + s[12:]))


def xchacha(key, nonce24, plain, ad):
    sub = hchacha20(key, nonce24[:16])
    return ChaCha20Poly1305(sub).encrypt(bytes(4) + nonce24[16:], plain, ad)


def check_letter(letters):
    """Sum of value times x^i in GF(32), x^5 = x^2 + 1, i from the end."""
    total, weight = 0, 2
    for c in reversed(letters):
        product, v, w = 0, LETTERS.index(c), weight
        while v:
            if v & 1:
                product ^= w
            v >>= 1
            w <<= 1
            if w & 32:
                w ^= 0b100101
        total ^= product
        weight <<= 1
        if weight & 32:
            weight ^= 0b100101
    return LETTERS[total]


def letters(data):
    v, n = int.from_bytes(data, "big"), len(data) * 8 // 5
    return "".join(LETTERS[v >> 5 * (n - 1 - i) & 31] for i in range(n))


def fingerprint(data):
    text = letters(blake2b(data, 20))
    text += check_letter(text)
    return "-".join(text[i:i + 4] for i in range(0, 33, 4)).encode()


def write(name, about, rows):
    with open(os.path.join(HERE, name), "w", encoding="ascii") as f:
        f.write("# %s\n# Made by make_vectors.py.\n" % about)
        for key, value in rows:
            f.write("%s = %s\n" % (key, value.hex()))


def tree_root(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\1" + tree_root(leaves[:k]) + tree_root(leaves[k:]))


seed = count(32, 1)
sign_key = Ed25519PrivateKey.from_private_bytes(seed)
sign_pk = raw(sign_key.public_key())
curve_pk = count(32, 0x40)
body = b"the body of a statement"

rows = [("seed", seed), ("public", sign_pk), ("body", body),
        ("keyid", blake2b(b"kortelijn/v1/keyid\0" + sign_pk)[:16])]
for label in ("env", "card", "revocation", "prekey", "profile", "receipt",
              "withdrawal", "erase_receipt", "notice", "enrol"):
    text = b"kortelijn/v1/" + label.encode() + b"\0"
    rows.append(("label_" + label, text))
    rows.append(("sig_" + label, sign_key.sign(text + body)))
write("sign.txt", "Labels, signatures of a fixed seed, key ids.", rows)

key = count(32, 0x80)
parts = (b"one", b"", b"three")
write("hash.txt", "Hashes over the parts joined, with and without key.", [
    ("part0", parts[0]), ("part1", parts[1]), ("part2", parts[2]),
    ("key", key),
    ("hash", blake2b(b"".join(parts))),
    ("hash160", blake2b(b"".join(parts), 20)),
    ("keyed", blake2b(b"".join(parts), 32, key)),
    ("tag", blake2b(b"".join(parts), 16, key)),
    ("sha256", sha256(b"".join(parts))),
    ("hash_empty", blake2b(b"")),
    ("sha256_empty", sha256(b"")),
])

# draft-irtf-cfrg-xchacha-03, 2.2.1 and A.3.1: that our Python is right.
assert hchacha20(count(32), bytes.fromhex(
    "000000090000004a0000000031415927")).hex() == (
    "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc")
nonce = count(24, 0x40)
write("aead.txt", "XChaCha20-Poly1305; sealed = nonce, ciphertext, tag.", [
    ("key", key), ("nonce", nonce), ("ad", b"kortelijn/v1/rest\0table"),
    ("plain", b"what lies at rest"),
    ("sealed", nonce + xchacha(key, nonce, b"what lies at rest",
                               b"kortelijn/v1/rest\0table")),
])

eph = X25519PrivateKey.from_private_bytes(count(32, 0x11))
pre = X25519PrivateKey.from_private_bytes(count(32, 0x77))
e_pk, pre_pk = raw(eph.public_key()), raw(pre.public_key())
dh = eph.exchange(X25519PublicKey.from_public_bytes(pre_pk))
receiver = b"oin:00000001234567890000"
header, consent = b"packed header bytes", b"packed consent bytes"


def message_key(consent_bytes):
    return blake2b(b"kortelijn/v1/msg" + e_pk + pre_pk + sign_pk + receiver +
                   blake2b(consent_bytes) + header, 32, dh)


k = message_key(consent)
plain = b"padded to one block of 1280"
padded = plain + b"\x80" + bytes(1280 - len(plain) - 1)
write("seal.txt", "Suite 1: from the shared secret to the ciphertext.", [
    ("ephemeral_secret", count(32, 0x11)), ("ephemeral", e_pk),
    ("prekey_secret", count(32, 0x77)), ("prekey", pre_pk),
    ("sender", sign_pk), ("receiver", receiver), ("consent", consent),
    ("header", header), ("key", k), ("key_no_consent", message_key(b"")),
    ("commit", blake2b(b"kortelijn/v1/commit", 32, k)),
    ("nonce", nonce), ("plain", plain), ("padded", padded),
    ("ciphertext", xchacha(k, nonce, padded, header)),
])

agb = b"agb:01234567".ljust(24, b"\0")
bits = bytes.fromhex("0123456789")
spoken = letters(bits)
write("fingerprint.txt", "Fingerprints and spoken references, as text.", [
    ("id", agb), ("role", b"\1"), ("transport", curve_pk), ("sign", sign_pk),
    ("fingerprint", fingerprint(b"kortelijn/v1/fingerprint\0" + agb + b"\1" +
                                curve_pk + sign_pk)),
    ("authority", fingerprint(b"kortelijn/v1/authority-fingerprint\0" +
                              sign_pk)),
    ("spoken_bits", bits),
    ("spoken", (spoken[:4] + "-" + spoken[4:] + "-" +
                check_letter(spoken)).encode()),
])

# The leaves of the Certificate Transparency reference tests.
leaves = [bytes.fromhex(h) for h in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f")]
assert tree_root(leaves).hex() == (
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
salt, record = count(32, 0xc0), b"packed record bytes"
rows = [("leaf%d" % i, leaf) for i, leaf in enumerate(leaves)]
rows += [("root%d" % n, tree_root(leaves[:n])) for n in range(9)]
rows += [("salt", salt), ("record", record),
         ("record_leaf", sha256(b"\0kortelijn/v1/leaf\0" +
                                sha256(salt + record)))]
write("merkle.txt", "RFC 6962 trees of the Certificate Transparency tests, "
      "and the leaf of a record.", rows)

origin = b"broker.example/log/7k3mq9vd2xhta"
root = tree_root(leaves)
text = origin + b"\n8\n" + base64.b64encode(root) + b"\n"
dash = "\u2014 ".encode()
keyid = sha256(origin + b"\n\x01" + sign_pk)[:4]
note = (text + b"\n" + dash + origin + b" " +
        base64.b64encode(keyid + sign_key.sign(text)) + b"\n")
witness = b"auditor.example/w1"
wkey = Ed25519PrivateKey.from_private_bytes(count(32, 0x21))
wpk = raw(wkey.public_key())
when = 1795536000
wsig = wkey.sign(b"cosignature/v1\ntime %d\n" % when + text)
wid = sha256(witness + b"\n\x04" + wpk)[:4]
cosigned = (note + dash + witness + b" " + base64.b64encode(
    wid + struct.pack(">Q", when) + wsig) + b"\n")
write("note.txt", "A checkpoint, and the same with a witness's line.", [
    ("seed", seed), ("public", sign_pk), ("origin", origin), ("root", root),
    ("text", text), ("note", note), ("witness", witness),
    ("witness_seed", count(32, 0x21)), ("witness_public", wpk),
    ("time", struct.pack(">Q", when)), ("cosigned", cosigned),
])
