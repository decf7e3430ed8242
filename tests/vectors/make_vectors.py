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


# ---- messages: canonical protobuf, written here without a library -----------

def varint(v):
    out = b""
    while v >= 0x80:
        out += bytes((v & 0x7f | 0x80,))
        v >>= 7
    return out + bytes((v,))


def msg(*values):
    """Fields 1, 2, 3, ...: a number, bytes, a list of either, or absent."""
    out = b""
    for i, value in enumerate(values, 1):
        for v in value if isinstance(value, list) else [value]:
            if isinstance(v, int):
                out += varint(i << 3) + varint(v)
            elif v is not None:
                out += varint(i << 3 | 2) + varint(len(v)) + v
    return out


def ident(text):
    return text.encode().ljust(24, b"\0")


def key_id(pk):
    return blake2b(b"kortelijn/v1/keyid\0" + pk)[:16]


class Party:
    def __init__(self, text, first, transport):
        self.id = ident(text)
        self.seed = count(32, first)
        self.key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.pk = raw(self.key.public_key())
        self.key_id = key_id(self.pk)
        self.transport = count(32, transport)

    def sign(self, label, packed):
        text = b"kortelijn/v1/" + label.encode() + b"\0"
        return msg(packed, self.key.sign(text + packed))


NOW = 1795510800000                     # Tuesday 2026-11-24 09:00
DAY = 86400000
MONDAY = NOW - DAY - 9 * 3600000
YEAR = 365 * DAY
NONE16, NONE24, NONE32 = bytes(16), bytes(24), bytes(32)
authority = Party("kvk:00000000", 0xa1, 0)
practice = Party("agb:01234567", 0x01, 0x40)
desk = Party("oin:00000001234567890000", 0x31, 0x70)
broker = Party("kvk:11223344", 0x51, 0x90)
partner = ident("kvk:12345678")
serial, conv, other = count(16, 0x10), count(16, 0x20), count(16, 0x30)
body_hash, salt32 = count(32, 0xb0), count(32, 0xd0)

details = msg(
    "Meldpunt Geldzorgen".encode(), [153], [108301700, 208301700], [20812],
    [1, 2, 9], [1, 4], [1, 2, 3], [b"nl", b"tr"], [48, 120, 672, 72, 1344],
    "We bellen binnen twee werkdagen.\nDaarna volgt een gesprek.".encode(),
    b"", ["A. de Vries, consulent".encode()], ["Afsluiting internet".encode()],
    [partner + b"\2"], "Volgens de selectielijst.".encode(), b"")
withdrawal = msg(1, practice.id, practice.key_id, conv, 1, 1, 1, NOW, 21145)
signed_withdrawal = practice.sign("withdrawal", withdrawal)

# name, label, signer, packed body
STATEMENTS = [
    ("card", "card", authority, msg(
        1, 1, 2, serial, practice.id, "Huisartsenpraktijk \u00d6z".encode(),
        practice.pk, practice.transport, NOW, NOW, NOW + YEAR, NONE24, 0, 1,
        [])),
    ("card_auditor", "card", authority, msg(
        1, 4, 2, other, partner, b"Auditor", desk.pk, desk.transport, NOW,
        NOW, NOW + YEAR, broker.id, NOW, 1, [practice.id, desk.id])),
    ("card_successor", "card", authority, msg(
        1, 2, 1, other, partner, b"Gemeente Nieuw", desk.pk, desk.transport,
        NOW, NOW, NOW + YEAR, desk.id, NOW + DAY, 1, [])),
    ("revocation", "revocation", authority,
     msg(1, 2, serial, practice.id, 3, NOW)),
    ("prekey", "prekey", desk, msg(
        1, desk.id, desk.key_id, pre_pk, MONDAY, MONDAY + 7 * DAY, 1, 2)),
    ("profile", "profile", desk, msg(
        1, desk.id, desk.key_id, NOW, NOW + YEAR, b"+31531234567",
        b"+31531234568", details)),
    ("receipt", "receipt", desk, msg(
        1, desk.id, desk.key_id, other, body_hash, 1, 1, NOW)),
    ("receipt_refused", "receipt", desk, msg(
        1, desk.id, desk.key_id, other, body_hash, 3, 110, NOW)),
    ("withdrawal", "withdrawal", practice, withdrawal),
    ("withdrawal_in_error", "withdrawal", practice, msg(
        1, practice.id, practice.key_id, conv, 1, 2, 1, NOW, 21145)),
    ("erase_receipt", "erase_receipt", desk, msg(
        1, desk.id, desk.key_id, conv, blake2b(withdrawal), 1, 2, NOW)),
    ("notice_dead", "notice", broker, msg(
        1, broker.id, broker.key_id, 3, conv, other, 43, 0, 0, NOW, 0, b"",
        b"")),
    ("notice_gap", "notice", broker, msg(
        1, broker.id, broker.key_id, 5, conv, other, 1, 2, 3, NOW, 0, b"",
        b"")),
    ("notice_erase_request", "notice", broker, msg(
        1, broker.id, broker.key_id, 6, conv, NONE16, 1, 0, 0, NOW,
        NOW + 7 * DAY, signed_withdrawal, b"the parent's signed body")),
    ("enrol", "enrol", practice, msg(
        1, 1, 2, practice.id, "Huisartsenpraktijk \u00d6z".encode(),
        practice.pk, practice.transport, NOW)),
]
rows = [("authority_seed", authority.seed), ("practice_seed", practice.seed),
        ("desk_seed", desk.seed), ("broker_seed", broker.seed),
        ("details", details)]
for name, label, by, packed in STATEMENTS:
    rows += [(name + "_body", packed), (name + "_signed",
                                        by.sign(label, packed))]
rows_of_cards = rows
write("statements.txt", "Every statement: its body, and packed as Signed with "
      "its signature.", rows)

# ---- content and envelopes --------------------------------------------------

content = msg(
    1, salt32, 1, msg(b"J.P.M.", b"van", "P\u00fctten".encode()), 19801025,
    b"7511AB", 12, b"A", None, 2, b"+31612345678", b"j@example.org", 1, 2, 1,
    2, 4, 2, None, b"tr", 2, 1, 1, None, None, 2,
    msg(1, b"Dr. B. Ten Cate", b"+31534561234"),
    msg("\u00d6. de Boer".encode(), b"+31687654321", 2, 2), None)
shortest = msg(
    1, salt32, 2, msg(None, None, b"Jansen"), None, None, None, None, None,
    None, b"+31612345678", None, 1, 1, 1, None, None, None, None, None, None,
    None, None, None, None, None, msg(7, b"Desk", b"+31531234567"))
feedback = msg(1, 5, None, None, None, 20781, 3)
feedback_all = msg(1, 13, 1, None, None, 20781, 3)
preview_text = """\
Crisis (bedreigende situatie): nee
Liefst bereikbaar via: telefoon
Voicemail inspreken mag: nee
Brief sturen mag: ja
Dagdeel: middag
Liefst afspreken: gemeente
Eerst een vrijblijvend gesprek: ja
Taal: tr
Tolk nodig: ja
Naam: J.P.M. van P\u00fctten
Geboortedatum: 1980-10-25
Geslacht: vrouw
Postcode: 7511AB
Huisnummer: 12
Toevoeging: A
Telefoon: +31612345678
E-mail: j@example.org
Hulpvraag: geldzorgen
Warme overdracht: telefonisch
Contactpersoon: naam: \u00d6. de Boer
Contactpersoon: relatie: vriend
Contactpersoon: telefoon: +31687654321
Contactpersoon weet hiervan: ja
Verwijzer: functie: huisarts
Verwijzer: naam: Dr. B. Ten Cate
Verwijzer: telefoon: +31534561234
""".encode()
preview_hash = blake2b(salt32 + preview_text)
write("content.txt", "Sealed content, and the preview that is hashed.", [
    ("salt", salt32), ("referral", content), ("shortest", shortest),
    ("feedback", feedback), ("feedback_category", feedback_all),
    ("preview", preview_text), ("preview_hash", preview_hash),
])

# Schema 2 exists in tests only; it adds the state 29, shown to a receiver of
# schema 1 as help_started (11).
write("schema.txt", "Content of schema 1 and of schema 2.", [
    ("salt", salt32), ("referral_1", content),
    ("referral_2", msg(2) + content[2:]),
    ("feedback_1", feedback),
    ("new_code_2", msg(2, 29, None, None, None, 20781, 4)),
    ("new_code_in_1", msg(1, 29, None, None, None, 20781, 4)),
    ("collapsed_1", msg(1, 11, None, None, None, 20781, 4)),
    ("old_code_2", msg(2, 11, None, None, None, 20781, 4)),
])

consent_bytes = msg(1, 3, 1, 4, 20780, 21145, 1, preview_hash, NONE32,
                    [partner])
preview_bytes = msg(preview_hash)
pre_id = key_id(pre_pk)


def envelope(kind, by, to_id, plain_text, consent_part, nth, header):
    eph_secret = count(32, 0x10 + nth)
    eph_key = X25519PrivateKey.from_private_bytes(eph_secret)
    eph_pk = raw(eph_key.public_key())
    shared = eph_key.exchange(X25519PublicKey.from_public_bytes(pre_pk))
    message = blake2b(b"kortelijn/v1/msg" + eph_pk + pre_pk + by.pk + to_id +
                      blake2b(consent_part) + header, 32, shared)
    size = 128 if kind == "feedback" else 1280
    filled = plain_text + b"\x80" + bytes(size - len(plain_text) - 1)
    nonce24 = count(24, 0x60 + nth)
    ct = xchacha(message, nonce24, filled, header)
    packed = msg(header, consent_part, eph_pk, nonce24,
                 blake2b(b"kortelijn/v1/commit", 32, message), blake2b(ct),
                 len(ct))
    return [(kind + "_" + name, value) for name, value in (
        ("header", header), ("consent", consent_part), ("plain", plain_text),
        ("ephemeral_secret", eph_secret), ("key", message), ("body", packed),
        ("body_hash", blake2b(packed)), ("signed", by.sign("env", packed)),
        ("ciphertext", ct))], blake2b(packed)


referral_rows, answers = envelope(
    "referral", practice, desk.id, content, consent_bytes, 1, msg(
        1, 1, 1, 1, 1, 1, 3, 1, count(16, 0x41), conv, 1, NONE32, NONE16,
        practice.id, desk.id, practice.key_id, pre_id, count(16, 0x71), NOW,
        NOW + 2 * DAY, NOW + 3 * DAY, NOW + 14 * DAY))
correction_rows, _ = envelope(
    "correction", practice, desk.id, shortest, preview_bytes, 2, msg(
        1, 1, 2, 1, 4, 1, 1, 1, count(16, 0x42), conv, 2, answers,
        count(16, 0x52), practice.id, desk.id, practice.key_id, pre_id,
        NONE16, NOW, NOW + 2 * DAY, 0, NOW + 14 * DAY))
# The desk refers on, under the consent that the practice's REFERRAL carries.
onward_consent = msg(1, 1, 2, 4, 20781, 21145, 1, preview_hash, answers, [])
onward_rows, _ = envelope(
    "onward", desk, partner, shortest, onward_consent, 4, msg(
        1, 1, 1, 1, 8, 1, 1, 1, count(16, 0x44), other, 1, NONE32, NONE16,
        desk.id, partner, desk.key_id, pre_id, NONE16, NOW, NOW + 2 * DAY, 0,
        NOW + 14 * DAY))
feedback_rows, _ = envelope(
    "feedback", desk, practice.id, feedback, b"", 3, msg(
        1, 1, 3, 1, 7, 2, 3, 1, count(16, 0x43), conv, 1, answers, NONE16,
        desk.id, practice.id, desk.key_id, pre_id, NONE16, NOW,
        NOW + 2 * DAY, 0, NOW + 42 * DAY))
write("envelope.txt", "An envelope of each kind, all to one prekey.", [
    ("practice_seed", practice.seed), ("desk_seed", desk.seed),
    ("prekey_secret", count(32, 0x77)), ("prekey", pre_pk),
] + referral_rows + correction_rows + feedback_rows + onward_rows)

# ---- the log ----------------------------------------------------------------

accepted = msg(1, 5, conv, other, practice.id, desk.id, 1, 1, NOW // 60000,
               (NOW + 2 * DAY) // 60000, answers, 0, 1, practice.key_id, 1, 1, 1, 0)
first = msg(1, 1, NONE16, NONE16, NONE24, NONE24, 5, 0, NOW // 60000, 0,
            blake2b(note), 0, 0, broker.key_id, 1, 1, 1, 0)
refused = msg(1, 17, NONE16, NONE16, practice.id, NONE24, 1, 0, NOW // 60000,
              0, NONE32, 0, 0, practice.key_id, 2, 27, 4294967295, 0)
released = msg(1, 6, conv, other, desk.id, practice.id, 1, 3, NOW // 60000, 0,
               answers, 1, 2, practice.key_id, 1, 1, 1, 2)
rows = []
for name, packed in (("origin", first), ("accepted", accepted),
                     ("refused", refused), ("released", released)):
    rows += [(name + "_record", packed), (name + "_leaf_hash", sha256(
        b"\0kortelijn/v1/leaf\0" + sha256(salt32 + packed)))]
logged = msg(184622, accepted, salt32)
write("log.txt", "Records and the hashes of their leaves under one salt.",
      [("salt", salt32), ("previous_note", note)] + rows +
      [("logged", logged)])

# ---- proofs as files --------------------------------------------------------

# A log of seven leaves, the sixth of which is a record; and its first three.
proof_leaves = leaves[:5] + [None] + leaves[6:7]


def hash_of(leaf):
    if leaf is None:
        return sha256(b"\0kortelijn/v1/leaf\0" + sha256(salt32 + accepted))
    return sha256(b"\0" + leaf)


def root_of(hashes):
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return sha256(b"\1" + root_of(hashes[:k]) + root_of(hashes[k:]))


def path(m, hashes):
    """RFC 6962 2.1.1."""
    if len(hashes) == 1:
        return []
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    if m < k:
        return path(m, hashes[:k]) + [root_of(hashes[k:])]
    return path(m - k, hashes[k:]) + [root_of(hashes[:k])]


def subproof(m, hashes, whole=True):
    """RFC 6962 2.1.2."""
    if m == len(hashes):
        return [] if whole else [root_of(hashes)]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    if m <= k:
        return subproof(m, hashes[:k], whole) + [root_of(hashes[k:])]
    return subproof(m - k, hashes[k:], False) + [root_of(hashes[:k])]


def lines(hashes):
    return b"".join(base64.b64encode(h) + b"\n" for h in hashes)


def checkpoint(hashes):
    body = (origin + b"\n%d\n" % len(hashes) +
            base64.b64encode(root_of(hashes)) + b"\n")
    return (body + b"\n" + dash + origin + b" " +
            base64.b64encode(keyid + sign_key.sign(body)) + b"\n")


def vkey(name, kind, pk):
    return (name + b"+" + sha256(name + b"\n" + kind + pk)[:4].hex().encode() +
            b"+" + base64.b64encode(kind + pk))


hashed = [hash_of(leaf) for leaf in proof_leaves]
write("proof.txt", "Keys, and proofs of inclusion and consistency, as text.", [
    ("vkey", vkey(origin, b"\1", sign_pk)),
    ("witness_vkey", vkey(witness, b"\4", wpk)),
    ("inclusion", b"c2sp.org/tlog-proof@v1\nextra " +
     base64.b64encode(salt32 + accepted) + b"\nindex 5\n" +
     lines(path(5, hashed)) + b"\n" + checkpoint(hashed)),
    ("consistency", b"old 3\n" + lines(subproof(3, hashed)) + b"\n" +
     checkpoint(hashed)),
    ("old", checkpoint(hashed[:3])),
    ("salt", salt32), ("record", accepted),
])

# ---- requests and replies ---------------------------------------------------

signed = dict(referral_rows)["referral_signed"]
hello = msg(other, 7, 1, 1, 2, note, b"kortelijn-practice 0.1.0")
item = msg(12, 1, signed, logged, conv, b"0J5NRK2HA")
entry = msg(1, dict(rows_of_cards)["card_signed"])
what = msg(NOW // 60000, NOW // 60000 + 1440, practice.id, NONE24, 1, 5, 1, 1,
           NONE16, b"0J5NRK2HA", NONE16)
write("requests.txt", "Every message of a session, in the order of enum "
      "kl_message_type.", [
    ("request", msg(1, 1, 4711, hello)),
    ("reply", msg(1, 2, 4711, 64, 1500, NOW, bytes(7) + b"\5", b"")),
    ("hello", hello),
    ("hello_reply", msg(2, 1, 1, MONDAY + 63 * DAY, 99, note, b"")),
    ("submit", msg(signed)),
    ("logged", logged),
    ("submit_reply", msg(logged, conv, b"0J5NRK2HA")),
    ("fetch", msg(30000, [1, 200, 2 ** 64 - 1])),
    ("fetch_reply", msg([item])),
    ("item", item),
    ("put_receipt", msg(5, dict(rows_of_cards)["receipt_signed"])),
    ("item_ack", msg([1, 2])),
    ("withdraw", msg(signed_withdrawal)),
    ("withdraw_reply", msg(logged, 2, 1, 1)),
    ("directory", msg(0)),
    ("directory_reply", msg(99, 64, [entry])),
    ("entry", entry),
    ("publish", msg([msg(3, dict(rows_of_cards)["prekey_signed"])])),
    ("sync", msg(2, NONE16, [msg(100, signed)])),
    ("sync_reply", msg([msg(
        conv, other, b"0J5NRK2HA", answers, practice.id, desk.id, 1, 2, 2,
        1)], [1, 63])),
    ("sync_conversation", msg(
        conv, other, b"0J5NRK2HA", answers, practice.id, desk.id, 1, 2, 2,
        1)),
    ("log", msg(3, 184622, 184700)),
    ("log_reply", msg(note, [count(32), count(32, 32)], count(64, 64), 20781,
                      note)),
    ("query_what", what),
    ("query", msg(1, what, 184621, 512, 0)),
    ("query_reply", msg(184621, 512, [logged], b"", 0)),
    ("query_state", msg(1, 2, 1, 1, answers, NOW, NOW, NOW, 0, note, note)),
])
