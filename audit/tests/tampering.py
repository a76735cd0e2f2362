"""Drives docs/verify_bundle.py for audit/tests/python.rs.

    tampering.py matrix KEYS BUNDLE     tampers with every record of a bundle; prints how many cases of each kind
    tampering.py judge KEYS [BUNDLE …]  prints what the verifier says of each bundle, a line each

Tampering that is not noticed, or is laid to another record, ends it with an error.
"""
import copy, functools, io, re, sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))
import verify_bundle as tested

# Hundreds of bundles here carry the same signatures.
tested.signature_is_good = functools.cache(tested.signature_is_good)


def judge(keys, bundle):
    try:
        with open(bundle, "rb") as lines:
            return tested.verify(keys, lines)
    except (tested.Bad, *tested.MALFORMED) as fault:
        return f"not verified: {fault}".replace("\n", " ")


def matrix(keys, bundle):
    lines = bundle.splitlines(keepends=True)
    count = len(lines) - 2
    verifier = tested.Verifier(keys, lines[0])
    cases = {}

    def case(kind, record, *rest):
        """Goes on from a verifier that has read all before the tampered place."""
        clone = copy.copy(verifier)
        clone.edge = list(verifier.edge)
        try:
            clone.read(io.BytesIO(b"".join(rest)))
        except tested.Bad as fault:
            if not str(fault).startswith(f"record {record}: "):
                sys.exit(f"{kind}, record {record}: laid to another place: {fault}")
            cases[kind] = cases.get(kind, 0) + 1
        else:
            sys.exit(f"{kind}, record {record}: not noticed")

    for record in range(count):
        line, after = lines[1 + record], lines[2 + record:]
        # A byte within the value of each field, and one of its name.
        for field in re.finditer(rb'"([a-z_]+)":("(?:[^"\\]|\\.)*"|\[[^]]*\]|\d+)', line):
            for kind, (start, end) in (("value", field.span(2)), ("name", field.span(1))):
                quotes = 1 if line[start] in b'"[' else 0
                at = start + quotes + record * 7 % max(1, end - start - 2 * quotes)
                changed = line[:at] + bytes([line[at] ^ 1 << record % 7]) + line[at + 1:]
                case(kind, record, changed, *after[:3])
        case("deleted", record, *after)
        if record + 1 < count:
            case("swapped", record, after[0], line, *after[1:])
        case("inserted", record, lines[1 + (record + count // 2) % count], line, *after)
        case("doubled", record + 1, line, line, *after)
        case("cut", record)
        case("cut", record, line[:len(line) // 2])
        verifier.record(verifier.line(line)[1], line)
    # The control: untouched, what follows is accepted.
    print(verifier.read(io.BytesIO(lines[-1])))
    for kind, number in sorted(cases.items()):
        print(kind, number)


if __name__ == "__main__":
    what, keys, *bundles = sys.argv[1:]
    keys = Path(keys).read_text()
    if what == "matrix":
        matrix(keys, Path(bundles[0]).read_bytes())
    for bundle in bundles if what == "judge" else []:
        print(judge(keys, bundle))
