#!/usr/bin/env python3
"""Verifies a Clavis audit bundle with nothing but Python's standard library: docs/formats.md 3 to 6, once more.

    python3 verify_bundle.py KEYS BUNDLE [CHECKPOINT ...] [--witness KEY ...]

KEYS holds the trusted public keys, from the protocol of the key ceremony. BUNDLE is what was exported. Each CHECKPOINT
is a signed note that was kept from earlier: the log must still contain it. Each KEY is the public key of a witness, as
its folder's witness.pub has it: more than half of those given must have co-signed every CHECKPOINT. Exit code 0:
complete, unchanged and signed. 1: not; the first line on standard error says what is wrong, and with which record where
one can be named.
"""
import base64, hashlib, json, re, struct, sys, uuid
from datetime import datetime, timedelta

LONGEST_LINE = 32 * 1024
# What Python raises where a value is not of the form that the code below takes for granted.
MALFORMED = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError)


class Bad(Exception):
    """The bundle is not to be believed."""


def need(truth, what):
    if not truth:
        raise Bad(what)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def written(value):
    """The one way in which a bundle writes a line."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def hashes(texts):
    roots = [bytes.fromhex(text) for text in texts]
    need([root.hex() for root in roots] == texts and all(len(root) == 32 for root in roots), "hashes are not hashes")
    return roots


# -- Signatures: ECDSA on P-256 with SHA-256 (FIPS 186-5), by the textbook. Nothing here is secret, so it may be slow.
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def add(a, b):
    """The sum of two points of the curve; None is the point at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = (3 * a[0] ** 2 - 3) * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope**2 - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(factor, point, plus=add, result=None):
    """The point added to itself so often, on the curve of `plus`, from what adds nothing there."""
    while factor:
        if factor & 1:
            result = plus(result, point)
        factor, point = factor >> 1, plus(point, point)
    return result


def der(*integers):
    """SEQUENCE { INTEGER, INTEGER }, each in its shortest form."""
    body = b"".join(bytes([2, len(i)]) + i for i in (n.to_bytes(n.bit_length() // 8 + 1, "big") for n in integers))
    return bytes([0x30, len(body)]) + body


def signature_is_good(key, message, signature):
    need(len(signature) > 5 and len(signature) > 4 + signature[3], "checkpoint: a signature is no signature")
    end = 4 + signature[3]
    r, s = int.from_bytes(signature[4:end], "big"), int.from_bytes(signature[end + 2:], "big")
    if not (0 < r < N and 0 < s < N) or der(r, s) != signature:
        return False
    e, inverse = int.from_bytes(sha256(message), "big"), pow(s, -1, N)
    point = add(times(e * inverse % N, G), times(r * inverse % N, key))
    return point is not None and point[0] % N == r


# -- Public keys: "clavis/<kms>+<key id>+<base64 of 2 and the key's SubjectPublicKeyInfo>", one a line.
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


def read_keys(text):
    """Name of the keys, and the keys by their id: (fingerprint, point)."""
    keys, names = {}, set()
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, key_id, encoded = line.split("+", 2)
            spki = base64.b64decode(encoded, validate=True)[1:]
            x, y = int.from_bytes(spki[27:59], "big"), int.from_bytes(spki[59:], "big")
            print_of = sha256(spki)
            need(spki[:27] == SPKI + b"\4" and (y * y - x**3 + 3 * x - B) % P == 0, "keys: not a key on P-256")
            need(key_id == print_of[:4].hex(), "keys: an id is not that of its key")
            keys[print_of[:4]] = print_of, (x, y)
            names.add(name)
    need(len(names) == 1, "keys: none, or of several systems")
    return names.pop(), keys


# -- Witnesses: Ed25519 (RFC 8032) over a note's text and the time; "<name>+<key id>+<base64 of 4 and the key>".
Q, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, Q) % Q


def add_edwards(a, b):
    """The sum of two points of the Edwards curve, where (0, 1) adds nothing."""
    turn = D * a[0] * b[0] * a[1] * b[1] % Q
    return ((a[0] * b[1] + b[0] * a[1]) * pow(1 + turn, -1, Q) % Q,
            (a[1] * b[1] + a[0] * b[0]) * pow(1 - turn, -1, Q) % Q)


def edwards_point(raw):
    number = int.from_bytes(raw, "little")
    odd, y = number >> 255, number & 2**255 - 1
    square = (y * y - 1) * pow(D * y * y + 1, -1, Q) % Q
    x = pow(square, (Q + 3) // 8, Q)
    x = x if x * x % Q == square else x * pow(2, (Q - 1) // 4, Q) % Q
    need(y < Q and x * x % Q == square and (x or not odd), "a point is not on the curve of Ed25519")
    return (x if x & 1 == odd else Q - x), y


BASE = edwards_point((4 * pow(5, -1, Q) % Q).to_bytes(32, "little"))


def cosignature_is_good(key, message, signature):
    x, y = edwards_point(key)
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    found = add_edwards(times(s, BASE, add_edwards, (0, 1)), times(k, (Q - x, y), add_edwards, (0, 1)))
    return s < L and (found[1] | (found[0] & 1) << 255).to_bytes(32, "little") == signature[:32]


def read_witness(text):
    name, key_id, encoded = text.strip().split("+", 2)
    typed = base64.b64decode(encoded, validate=True)
    need(len(typed) == 33 and typed[0] == 4, "witness: not an Ed25519 key")
    need(sha256(name.encode(), b"\n", typed)[:4].hex() == key_id, "witness: an id is not that of its key")
    return name, bytes.fromhex(key_id), typed[1:]


def need_witnessed(note, witnesses):
    """More than half of the witnesses co-signed this note."""
    body, lines = note.rsplit("\n\n", 1)
    signed = set()
    for mark, name, encoded in (line.split(" ") for line in lines.splitlines()):
        raw = base64.b64decode(encoded, validate=True)
        seconds = int.from_bytes(raw[4:12], "big")
        message = f"cosignature/v1\ntime {seconds}\n{body}\n".encode()
        for witness in witnesses:
            if (name, raw[:4], len(raw)) == (*witness[:2], 76) and cosignature_is_good(witness[2], message, raw[12:]):
                signed.add(witness)
    need(2 * len(signed) > len(witnesses),
         f"checkpoint: {len(signed)} of {len(witnesses)} witnesses co-signed; more than half have to")


# -- The tree of RFC 6962, held as its right edge: (height, root) of the perfect subtrees, the largest first.
def grow(edge, root, height=0):
    while edge and edge[-1][0] == height:
        root, height = sha256(b"\1", edge.pop()[1], root), height + 1
    edge.append((height, root))


def root_of(edge):
    root = edge[-1][1] if edge else sha256()
    for _, left in reversed(edge[:-1]):
        root = sha256(b"\1", left, root)
    return root


# -- A record: docs/formats.md section 3, field by field; what comes out has the order and the names of a bundle's line.
def decode(data):
    at = 0

    def take(count):
        nonlocal at
        need(at + count <= len(data), "its bytes are not a record: cut off")
        at += count
        return data[at - count:at]

    def number(count):
        return int.from_bytes(take(count), "big")

    def text(limit):
        count = number(2)
        need(count <= limit, "its bytes are not a record: a text over its limit")
        return take(count).decode()

    def optional(read):
        tag = number(1)
        need(tag <= 1, "its bytes are not a record: unknown tag")
        return read() if tag else None

    need(number(1) == 1, "its bytes are not a record: unknown version")
    f = {"time": (datetime(1970, 1, 1) + timedelta(microseconds=number(8))).isoformat(timespec="microseconds") + "Z"}
    node, boot, counter = uuid.UUID(bytes=take(16)), uuid.UUID(bytes=take(16)), number(8)
    f["log"] = optional(lambda: str(uuid.UUID(bytes=take(16)))) or "system"
    f["identity"] = ("none", "client", "admin", "node")[number(1)]
    f["fingerprint"] = take(32).hex() if f["identity"] in ("client", "admin") else None
    f["name"] = text(128) if f["identity"] == "admin" else None
    f["source"], f["operation"], f["object"] = text(96), text(64), optional(lambda: text(128))
    f["outcome"] = ("success", "failed", "undone")[number(1)]
    f["reason"] = optional(lambda: text(64))
    request, correlation = uuid.UUID(bytes=take(16)), optional(lambda: text(128))
    revision = optional(lambda: number(8))
    row, members = optional(lambda: take(32).hex()), optional(lambda: take(32).hex())
    approvals = [text(128) for _ in range(number(1))]
    f["detail"], f["count"], f["approvals"] = optional(lambda: text(256)), number(4), approvals or None
    f.update(request=str(request), correlation=correlation, revision=revision, row_digest=row, set_digest=members,
             node=str(node), boot=str(boot), counter=counter)
    need(at == len(data), "its bytes are not a record: bytes follow it")
    return {name: value for name, value in f.items() if value is not None}


class Dropped:
    """Records that retention dropped, by the position of the record that tells of them: docs/formats.md section 6."""

    def __init__(self, first):
        self.first, self.count, self.open = first, 0, {}

    def gone(self, index, by):
        need(type(by) is int and by > index and index not in self.open, "gone, and the record said to tell of it cannot")
        entry = self.open.setdefault(by, [index, 0, hashlib.sha256()])
        entry[1] += 1
        entry[2].update(index.to_bytes(8, "big"))
        self.count += 1

    def told(self, index, said):
        found, is_so = self.open.pop(index, None), True
        if (said["operation"], said["outcome"]) == ("Drop Records", "success"):
            form = r"(\d+) of records (\d+) to (\d+), older than [0-9T:.Z-]+, positions ([0-9a-f]{64})"
            told = re.fullmatch(form, said.get("detail", ""))
            need(told, "tells of a dropping in other words")
            count, first, last = (int(told[n]) for n in (1, 2, 3))
            if first < self.first:
                is_so = found is None or (found[0] <= last and found[1] < count)
            else:
                is_so = found is not None and [found[0], found[1], found[2].hexdigest()] == [first, count, told[4]]
        else:
            is_so = found is None
        need(is_so, "records are gone that are said to be told of here, and this record tells of others")


class Verifier:
    def __init__(self, keys, first_line):
        self.name, self.keys = read_keys(keys)
        _, head = self.line(first_line)
        need(written(head) == first_line, "not written as a bundle is written")
        self.head = head
        need(list(head) == ["bundle", "kms", "log", "first", "count", "keys", "left"], "the first line is wrong")
        need(head["bundle"] == "clavis-audit-bundle/1", "not the format clavis-audit-bundle/1")
        need("clavis/" + head["kms"] == self.name, "the trusted keys are of another system")
        trusted = {fingerprint.hex() for fingerprint, _ in self.keys.values()}
        need(head["keys"] and head["keys"] == sorted(set(head["keys"]) & trusted), "signed by a key not trusted")
        need({type(head["first"]), type(head["count"])} == {int}, "the first line is wrong")
        self.next, self.end, self.anchored = head["first"], head["first"] + head["count"], head["first"]
        heights = [height for height in range(63, -1, -1) if self.next >> height & 1]
        need(len(heights) == len(head["left"]), "edge hashes do not fit the range")
        self.edge = list(zip(heights, hashes(head["left"])))
        self.kept, self.compared, self.dropped = {}, 0, Dropped(self.next)

    @staticmethod
    def line(raw):
        """What a line is, and the line as JSON."""
        need(raw.endswith(b"\n"), "the bundle is cut off here, or a line is over the limit")
        value = json.loads(raw)
        what = "total" if "total" in value else "checkpoint" if "checkpoint" in value else "record"
        return what, value

    def note(self, text, every=True):
        """Size and root of a signed note; in a bundle every one of its signatures must be by an announced key."""
        need("\n\n" in text, "checkpoint: no signatures")
        body, lines = text.rsplit("\n\n", 1)
        body, good, again = body + "\n", 0, ""
        for line in lines.splitlines():
            mark, name, encoded = line.split(" ")
            raw = base64.b64decode(encoded, validate=True)
            again += f"\u2014 {name} {base64.b64encode(raw).decode()}\n"
            fingerprint, point = self.keys.get(raw[:4], (b"", None)) if name == self.name else (b"", None)
            if point and (not every or fingerprint.hex() in self.head["keys"]):
                need(signature_is_good(point, body.encode(), raw[4:]), "checkpoint: a signature does not verify")
                good += 1
            else:
                need(not every, "checkpoint: a signature by an unknown key")
        need(good and (not every or again == lines), "checkpoint: no signature by a trusted key")
        origin, size, root = body.splitlines()
        root = base64.b64decode(root)
        need(body == f"{origin}\n{int(size)}\n{base64.b64encode(root).decode()}\n", "not a checkpoint")
        need(origin == f"{self.name}/{self.head['log']}", "checkpoint of another log")
        return int(size), root

    def compare_kept(self, size, edge):
        if size in self.kept:
            same = self.kept.pop(size) == root_of(edge)
            self.compared += 1
            need(same, f"the log was rewritten: a checkpoint kept from earlier, of {size} records, has another root")

    def record(self, line, raw):
        found = line["index"]
        need(self.next < self.end, "more records than announced")
        need(type(found) is int and found == self.next, f"missing, swapped or inserted; record {found} is in its place")
        if "dropped" in line:
            need(list(line) == ["index", "dropped", "leaf"], "not a line of a bundle")
            self.dropped.gone(found, line["dropped"])
            return self.take(hashes([line["leaf"]])[0])
        data = base64.b64decode(line["record"])
        leaf = sha256(b"\0", data)
        need(line["leaf"] == leaf.hex(), "its bytes do not have the leaf hash beside them")
        said = {"index": found, **decode(data), "record": base64.b64encode(data).decode(), "leaf": leaf.hex()}
        need(said["log"] == self.head["log"], "belongs to another log")
        wrong = [name for name in {**line, **said} if line.get(name) != said.get(name)]
        need(written(said) == raw, f"what people read is not what the record says: {wrong}")
        self.dropped.told(found, said)
        self.take(leaf)

    def take(self, leaf):
        grow(self.edge, leaf)
        self.next += 1
        self.compare_kept(self.next, self.edge)

    def anchor(self, root, edge):
        stretch = f"records {self.anchored} to {max(self.next - 1, self.anchored)}"
        need(root_of(edge) == root, stretch + " as a whole do not have the signed root")
        self.anchored = self.next

    def last(self, line):
        need(list(line) == ["total", "right", "checkpoint"], "not a line of a bundle")
        need(self.next == self.end and line["total"] == self.head["count"], "the bundle is cut off here")
        size, root = self.note(line["checkpoint"])
        at, right = self.next, hashes(line["right"])
        while at < size and right:
            # As high as the position allows and the rest is long.
            height = min((at & -at).bit_length() - 1 if at else 63, (size - at).bit_length() - 1)
            grow(self.edge, right.pop(0), height)
            at += 1 << height
        need(at == size and not right, "edge hashes do not fit the range")
        self.anchor(root, self.edge)
        need(size > self.end or not self.dropped.open, "gone, and the log does not tell that it was dropped")
        self.compare_kept(size, self.edge)
        need(all(kept <= size for kept in self.kept), "the log was cut: a checkpoint kept from earlier is longer")
        gone = f" ({self.dropped.count} dropped by retention)" if self.dropped.count else ""
        kept = f", {self.compared} of {self.compared + len(self.kept)} kept checkpoints compared"
        return (f"verified: {line['total']} records{gone} of {self.head['log']} from {self.head['first']}, "
                f"root {root.hex()}{kept if self.compared or self.kept else ''}")

    def read(self, bundle):
        """The lines after the first, one at a time, so that a log of any length takes the same memory."""
        done = None
        while raw := bundle.readline(LONGEST_LINE + 1):
            in_record = self.next < self.end
            try:
                need(done is None, "something follows the last line")
                what, line = self.line(raw)
                # A checkpoint between records accuses none of them.
                in_record = what != "checkpoint" and (in_record or "index" in line)
                need(written(line) == raw, "not written as a bundle is written")
                if what == "total":
                    done = self.last(line)
                elif what == "checkpoint":
                    need(list(line) == ["checkpoint"], "not a line of a bundle")
                    size, root = self.note(line["checkpoint"])
                    need(size == self.next, "checkpoint of another size")
                    self.anchor(root, self.edge)
                else:
                    self.record(line, raw)
            except (Bad, *MALFORMED) as fault:
                what = str(fault) if isinstance(fault, Bad) else f"not a line of a bundle ({fault!r})"
                raise Bad(f"record {self.next}: {what}" if in_record else what) from fault
        need(done, (f"record {self.next}: " if self.next < self.end else "") + "the bundle is cut off here")
        return done


def verify(keys, bundle, kept=(), witnesses=()):
    """Checks a bundle, a file of bytes, against the text of a key file, of notes kept from earlier, and of the keys of
    those who must have co-signed these. Raises Bad."""
    verifier = Verifier(keys, bundle.readline(LONGEST_LINE + 1))
    known = {read_witness(text) for text in witnesses}
    for size, root in (verifier.note(text, every=False) for text in kept):
        need(verifier.kept.setdefault(size, root) == root, "two kept checkpoints of one size have different roots")
    for text in kept if known else ():
        need_witnessed(text, known)
    verifier.compare_kept(verifier.next, verifier.edge)
    done = verifier.read(bundle)
    if kept:
        done += f", each co-signed by most of {len(known)} witnesses" if known else "; no witness asked for"
    return done


if __name__ == "__main__":
    try:
        paths, witnesses, words = [], [], iter(sys.argv[1:])
        for word in words:
            if word == "--witness":
                witnesses.append(next(words, ""))
            else:
                paths.append(word)
        keys, *kept = [open(path, encoding="utf-8", newline="").read() for path in [paths[0], *paths[2:]]]
        with open(paths[1], "rb") as bundle:
            print(verify(keys, bundle, kept, witnesses))
    except (Bad, *MALFORMED, OSError) as fault:
        sys.exit(f"not verified: {fault}")
