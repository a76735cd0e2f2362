"""OpenStack Swift's KMIP keymaster: a root secret for the object store's encryption, and a second one after a rotation.

The keys are made with PyKMIP, as Swift's documentation tells operators to. Swift itself only gets them.
"""

import os

import steps
from kmip.core import enums
from kmip.pie.client import ProxyKmipClient
from swift.common.middleware.crypto import kmip_keymaster

SECTION = "kmip_keymaster"


def connection():
    """The settings of a PyKMIP client, as they stand in Swift's configuration."""
    return {
        "host": os.environ["CLAVIS_HOST"],
        "port": os.environ["CLAVIS_PORT"],
        "certfile": os.environ["CLAVIS_CERTIFICATE"],
        "keyfile": os.environ["CLAVIS_KEY"],
        "ca_certs": os.environ["CLAVIS_AUTHORITY"],
    }


def file(name, settings):
    """A configuration file with these settings and those of the connection."""
    path = os.path.join(os.environ["HOME"], name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"[{SECTION}]\n")
        file.writelines(f"{key} = {value}\n" for key, value in {**connection(), **settings}.items())
    return path


def key(bits=256):
    settings = connection()
    client = ProxyKmipClient(
        hostname=settings["host"],
        port=int(settings["port"]),
        cert=settings["certfile"],
        key=settings["keyfile"],
        ca=settings["ca_certs"],
        config_file="/dev/null",
    )
    with client:
        identifier = client.create(enums.CryptographicAlgorithm.AES, bits)
        return identifier, client.get(identifier).value


def keymaster(name, **settings):
    """What the proxy server of Swift does at its start."""
    return kmip_keymaster.filter_factory({}, keymaster_config_path=file(name, settings))(None)


def one_secret(first):
    identifier, secret = first
    master = keymaster("one", key_id=identifier)
    steps.check(master.root_secret == secret, "the root secret is the server's key")
    steps.check(len(master.create_key("/account/container/object")) == 32, "keys of objects are made from it")


def rotated(first, second):
    before = keymaster("before", key_id=first[0])
    after = keymaster(
        "after", key_id=first[0], key_id_second=second[0], key_id_same=second[0], active_root_secret_id="second"
    )
    path = "/account/container/object"
    steps.check(after.create_key(path) == before.create_key(path), "what was encrypted before can be read")
    now = after.create_key(path, secret_id="second")
    steps.check(now != before.create_key(path), "what is encrypted now has another key")
    steps.check(after.create_key(path, secret_id="same") == now, "two names of one key are one key")


def wrong_length(short):
    error = steps.refused(ValueError, keymaster, "short", key_id=short[0])
    steps.check("AES-128" in str(error), f"Swift sees what the key is: {error}")


def absent():
    error = steps.refused(Exception, keymaster, "absent", key_id="01890000-0000-7000-8000-000000000000")
    steps.check("ITEM_NOT_FOUND" in str(error), f"a key that is not there: {error}")


def main():
    story = steps.Story()
    story.step("an operator makes a key", key)
    story.step("an operator makes another key", key)
    story.step("Swift starts with one root secret", lambda: one_secret(story["an operator makes a key"]))
    story.step(
        "Swift starts with two root secrets",
        lambda: rotated(story["an operator makes a key"], story["an operator makes another key"]),
    )
    story.step("an operator makes a short key", key, 128)
    story.step("Swift refuses a short key", lambda: wrong_length(story["an operator makes a short key"]))
    story.step("Swift does not start without its key", absent)


if __name__ == "__main__":
    main()
