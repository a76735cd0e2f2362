"""Reads a folder of the C2SP tlog-tiles layout as a tool would that knows nothing of this tree.

    read_tiles.py FOLDER

Prints `size root`, the names of those who signed the checkpoint, and the bundles of entries that are not there, a line
each. A hash that is not the root of the tile below it, an entry that is not its leaf, a file too many: an error.
"""
import base64, hashlib, pathlib, sys


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root(hashes):
    if len(hashes) == 1:
        return hashes[0]
    left = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\1", root(hashes[:left]), root(hashes[left:]))


def path(kind, index, width):
    groups = f"{index:03}" if index < 1000 else f"x{index // 1000:03}/{index % 1000:03}"
    return f"tile/{kind}/{groups}" + (f".p/{width}" if width < 256 else "")


def tiles(count):
    return [(index, min(256, count - index * 256)) for index in range((count + 255) // 256)]


folder = pathlib.Path(sys.argv[1])
body, signatures = (folder / "checkpoint").read_text().rsplit("\n\n", 1)
origin, size, head = body.split("\n")
size, expected, skipped, level, below = int(size), {"checkpoint"}, [], 0, None
while level == 0 or len(below) >= 256:
    count = size if level == 0 else len(below) // 256
    hashes = []
    for index, width in tiles(count):
        expected.add(path(level, index, width))
        data = (folder / path(level, index, width)).read_bytes()
        assert len(data) == 32 * width, path(level, index, width)
        hashes += [data[at:at + 32] for at in range(0, len(data), 32)]
    if level == 0:
        leaves = hashes
    for number, found in enumerate(hashes if level else []):
        assert found == root(below[number * 256:number * 256 + 256]), f"level {level}, hash {number}"
    level, below = level + 1, hashes
for index, width in tiles(size):
    name = path("entries", index, width)
    if not (folder / name).exists():
        skipped.append(name)
        continue
    expected.add(name)
    data, at, found = (folder / name).read_bytes(), 0, []
    while at < len(data):
        length = int.from_bytes(data[at:at + 2], "big")
        found.append(sha256(b"\0", data[at + 2:at + 2 + length]))
        at += 2 + length
    assert found == leaves[index * 256:index * 256 + width], name
assert base64.b64decode(head) == root(leaves), "the tiles do not have the root of the checkpoint"
there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
assert there == expected, there ^ expected
print(size, root(leaves).hex())
print(*(line.split(" ")[1] for line in signatures.splitlines()))
print(*skipped)
