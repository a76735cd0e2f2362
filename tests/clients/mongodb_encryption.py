"""MongoDB's field-level encryption with the provider `kmip`: libmongocrypt, which has a KMIP encoder of its own.

The driver around it, which fetches data keys and passes KMIP messages on, is played here: its key vault is in memory.
Without delegation a seed lies with the server, and libmongocrypt wraps data keys with it by itself (KMIP 1.0). With
delegation the server encrypts and decrypts data keys (KMIP 1.2).
"""

import os
import socket
import ssl

import bson
import steps
from bson.binary import STANDARD, Binary
from bson.codec_options import CodecOptions
from pymongocrypt.errors import MongoCryptError
from pymongocrypt.mongocrypt import MongoCryptOptions
from pymongocrypt.synchronous.explicit_encrypter import ExplicitEncrypter
from pymongocrypt.synchronous.state_machine import MongoCryptCallback

OPTIONS = CodecOptions(uuid_representation=STANDARD)
RANDOM = "AEAD_AES_256_CBC_HMAC_SHA_512-Random"
DETERMINISTIC = "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"
# The name in the server's certificate: this client checks it.
ENDPOINT = f"localhost:{os.environ['CLAVIS_PORT']}"


class Driver(MongoCryptCallback):
    """What a MongoDB driver does for libmongocrypt."""

    def __init__(self, vault):
        self.vault = vault
        self.requests = 0
        self.context = ssl.create_default_context(cafile=os.environ["CLAVIS_AUTHORITY"])
        self.context.load_cert_chain(os.environ["CLAVIS_CERTIFICATE"], os.environ["CLAVIS_KEY"])

    def kms_request(self, kms_context):
        self.requests += 1
        host, port = kms_context.endpoint.rsplit(":", 1)
        plain = socket.create_connection((host, int(port)), timeout=30)
        with self.context.wrap_socket(plain, server_hostname=host) as connection:
            connection.sendall(kms_context.message)
            while kms_context.bytes_needed > 0:
                data = connection.recv(kms_context.bytes_needed)
                steps.check(data, "the server closed before its answer was complete")
                kms_context.feed(data)

    def fetch_keys(self, filter):
        wanted = bson.decode(filter, OPTIONS)
        choices = wanted.get("$or", [])
        ids = [one for choice in choices for one in choice.get("_id", {}).get("$in", [])]
        for key in self.vault.values():
            if not choices or key["_id"] in ids:
                yield bson.encode(key, codec_options=OPTIONS)

    def insert_data_key(self, data_key):
        key = bson.decode(data_key, OPTIONS)
        self.vault[key["_id"]] = key
        return key["_id"]

    def bson_encode(self, doc):
        return bson.encode(doc)

    def collection_info(self, database, filter):
        raise NotImplementedError("there is no database")

    def mark_command(self, database, cmd):
        raise NotImplementedError("there is no database")

    def close(self):
        pass


class Application:
    """A process that encrypts fields. A new one has no data keys in its memory: it has to ask the server."""

    def __init__(self, vault):
        self.driver = Driver(vault)
        options = MongoCryptOptions({"kmip": {"endpoint": ENDPOINT}}, None)
        self.library = ExplicitEncrypter(self.driver, options)

    def data_key(self, master_key):
        return self.library.create_data_key("kmip", master_key)

    def encrypt(self, key, value, algorithm=RANDOM):
        return self.library.encrypt(bson.encode({"v": value}), algorithm, key_id=key.bytes)

    def decrypt(self, encrypted):
        return bson.decode(self.library.decrypt(encrypted))["v"]


def seed_of(vault, key):
    """The identifier of what a data key is wrapped with."""
    return vault[key]["masterKey"]["keyId"]


def kept_field(vault, key):
    """A field encrypted by one process and read by another, which needs the server for it."""
    value = "a field of a patient's record"
    encrypted = Application(vault).encrypt(key, value)
    steps.check(bytes(bson.decode(encrypted)["v"]).find(value.encode()) == -1, "the field is encrypted")
    reader = Application(vault)
    steps.check(reader.decrypt(encrypted) == value, "the field comes back")
    steps.check(reader.driver.requests > 0, "the server was asked for the data key")


def deterministic_field(vault, key):
    """The same value is the same bytes in each process, or nobody could search for it."""
    first, second = (Application(vault).encrypt(key, "searched for", DETERMINISTIC) for _ in range(2))
    steps.check(first == second, "the same value gives the same bytes")


def further_key(vault, key, master_key):
    """A second data key under the same object of the server."""
    identifier = seed_of(vault, key)
    further = Application(vault).data_key({**master_key, "keyId": identifier})
    steps.check(further != key and seed_of(vault, further) == identifier, "a second data key, the same seed")
    kept_field(vault, further)


def rewrapped(vault, key, master_key):
    """Every data key is wrapped anew; what was encrypted with it can still be read."""
    encrypted = Application(vault).encrypt(key, 7)
    before = dict(vault[key])
    result = Application(vault).library.rewrap_many_data_key({}, "kmip", master_key)
    for document in bson.decode(result, OPTIONS)["v"]:
        vault[document["_id"]].update(keyMaterial=document["keyMaterial"], masterKey=document["masterKey"])
    steps.check(vault[key]["keyMaterial"] != before["keyMaterial"], "the key is wrapped anew")
    steps.check(seed_of(vault, key) != before["masterKey"]["keyId"], "under a new object of the server")
    steps.check(Application(vault).decrypt(encrypted) == 7, "what was encrypted before can be read")


def absent_seed(vault, master_key):
    """An error that the server gives is the library's error, not a broken conversation."""
    nobody = {**master_key, "keyId": "01890000-0000-7000-8000-000000000000"}
    failure = steps.refused(MongoCryptError, Application(vault).data_key, nobody)
    steps.check("Item Not Found" in str(failure), f"the server's refusal is told: {failure}")


def tampered(vault, key):
    """A data key that was changed in the vault is not opened."""
    encrypted = Application(vault).encrypt(key, 7)
    changed = {key: dict(vault[key])}
    material = bytearray(changed[key]["keyMaterial"])
    material[-1] ^= 1
    changed[key]["keyMaterial"] = Binary(bytes(material), 0)
    steps.refused(MongoCryptError, Application(changed).decrypt, encrypted)


def main():
    story = steps.Story()
    for name, master_key in [("seed", {}), ("delegated", {"delegated": True})]:
        vault = {}
        made = f"{name}: a data key is made"
        story.step(made, lambda: Application(vault).data_key(master_key))
        for what, call in [
            ("a field is read by another process", lambda: kept_field(vault, story[made])),
            ("a value can be searched for", lambda: deterministic_field(vault, story[made])),
            ("a second data key", lambda: further_key(vault, story[made], master_key)),
            ("data keys are wrapped anew", lambda: rewrapped(vault, story[made], master_key)),
            ("a changed data key is not opened", lambda: tampered(vault, story[made])),
            ("an object that is not there", lambda: absent_seed(vault, master_key)),
        ]:
            story.step(f"{name}: {what}", call)


if __name__ == "__main__":
    main()
