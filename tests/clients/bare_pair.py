"""A process that has nothing but a PKCS#11 module in it: makes a pair on P-256, wraps the private half under a key that it
was given, destroys all of it, says what was wrapped, and stays until its input ends. It never has the half in clear."""

import ctypes
import sys
from ctypes import byref, c_ubyte, c_ulong, c_void_p

CKF_RW_SERIAL_SESSION = 6
CKU_USER = 1
CKA = {
    "class": 0x0, "token": 0x1, "private": 0x2, "value": 0x11, "key type": 0x100, "sensitive": 0x103, "wrap": 0x106,
    "sign": 0x108, "extractable": 0x162, "parameters": 0x180,
}
CKO_SECRET_KEY = 4
CKK_AES = 0x1F
CKM_EC_KEY_PAIR_GEN = 0x1040
# RFC 5649, under the number that SoftHSM has for it.
CKM_AES_KEY_WRAP_PAD = 0x210A
P_256 = bytes.fromhex("06082a8648ce3d030107")
LABEL_LEN = 32
TOKEN_INFO_LEN = 512
WRAPPED_LEN = 1024


class Words(ctypes.Structure):
    """A CK_ATTRIBUTE or a CK_MECHANISM: what it is, where it is, how long it is."""

    _fields_ = [("kind", c_ulong), ("value", c_void_p), ("len", c_ulong)]


def template(**values):
    """An array of attributes, with what they point to."""
    attributes = (Words * len(values))()
    kept = []
    for place, (name, value) in enumerate(values.items()):
        if isinstance(value, bool):
            value = bytes([value])
        elif isinstance(value, int):
            value = bytes(c_ulong(value))
        held = ctypes.create_string_buffer(value, len(value))
        kept.append(held)
        attributes[place] = Words(CKA[name.replace("_", " ")], ctypes.cast(held, c_void_p), len(value))
    return attributes, len(values), kept


class Module:
    """The functions of a module by name; a refusal ends the program."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)

    def __getattr__(self, name):
        def call(*arguments):
            code = getattr(self.library, name)(*arguments)
            if code:
                sys.exit(f"{name}: {code:#x}")

        return call


def slot_of(module, label):
    count = c_ulong(64)
    slots = (c_ulong * count.value)()
    module.C_GetSlotList(c_ubyte(1), slots, byref(count))
    for slot in slots[: count.value]:
        info = ctypes.create_string_buffer(TOKEN_INFO_LEN)
        module.C_GetTokenInfo(c_ulong(slot), info)
        if info.raw[:LABEL_LEN].decode().rstrip() == label:
            return slot
    sys.exit(f"there is no token {label}")


def main():
    path, label, pin_file, one_time_key = sys.argv[1:]
    with open(pin_file, "rb") as file:
        pin = file.read().strip()
    module = Module(path)
    module.C_Initialize(None)
    session, public, private, wrapping = c_ulong(), c_ulong(), c_ulong(), c_ulong()
    slot = c_ulong(slot_of(module, label))
    module.C_OpenSession(slot, c_ulong(CKF_RW_SERIAL_SESSION), None, None, byref(session))
    module.C_Login(session, c_ulong(CKU_USER), pin, c_ulong(len(pin)))
    of_public, public_len, _kept = template(token=False, parameters=P_256)
    of_private, private_len, _also_kept = template(
        token=False, private=True, sensitive=True, extractable=True, sign=False
    )
    generate = Words(CKM_EC_KEY_PAIR_GEN, None, 0)
    module.C_GenerateKeyPair(
        session, byref(generate), of_public, c_ulong(public_len), of_private, c_ulong(private_len),
        byref(public), byref(private),
    )
    of_wrapping, wrapping_len, _kept_too = template(
        **{"class": CKO_SECRET_KEY}, key_type=CKK_AES, token=False, wrap=True, value=bytes.fromhex(one_time_key)
    )
    module.C_CreateObject(session, of_wrapping, c_ulong(wrapping_len), byref(wrapping))
    wrapped, length = ctypes.create_string_buffer(WRAPPED_LEN), c_ulong(WRAPPED_LEN)
    mechanism = Words(CKM_AES_KEY_WRAP_PAD, None, 0)
    module.C_WrapKey(session, byref(mechanism), wrapping, private, wrapped, byref(length))
    for made in (wrapping, private, public):
        module.C_DestroyObject(session, made)
    print(wrapped.raw[: length.value].hex(), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
