"""A life in KMIP through PyKMIP's client, in one protocol version; every answer is checked.

Usage: pykmip_life.py VERSION, where VERSION is 1.0 to 1.4. One step, `N checks`, is told at the end; anything that is
wrong ends the program at once and names the check.
"""

import os
import sys

import steps

from kmip.core import enums
from kmip.core.exceptions import OperationFailure
from kmip.core.factories.attributes import AttributeFactory
from kmip.pie import objects
from kmip.pie.client import ProxyKmipClient
from kmip.pie.exceptions import KmipOperationFailure

MASKS = [enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT]
VERSIONS = {
    "1.0": enums.KMIPVersion.KMIP_1_0,
    "1.1": enums.KMIPVersion.KMIP_1_1,
    "1.2": enums.KMIPVersion.KMIP_1_2,
    "1.3": enums.KMIPVersion.KMIP_1_3,
    "1.4": enums.KMIPVersion.KMIP_1_4,
}

checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        raise AssertionError(what)


def refused(reason, call, *args, **kwargs):
    """The call fails with exactly this Result Reason."""
    try:
        call(*args, **kwargs)
    except (KmipOperationFailure, OperationFailure) as failure:
        check(failure.reason == reason, f"{call.__name__}: {failure.reason}, not {reason}")
    else:
        check(False, f"{call.__name__} was not refused")


def state(client, uid):
    _, attributes = client.get_attributes(uid, ["State"])
    return attributes[0].attribute_value.value


def locate(client, *attributes):
    return client.locate(attributes=list(attributes))


def created_key(client, version):
    name = f"pykmip-{version}-created"
    named = AttributeFactory().create_attribute(
        enums.AttributeType.NAME,
        objects_name(name),
    )
    uid = client.create(enums.CryptographicAlgorithm.AES, 256, name=name, cryptographic_usage_mask=MASKS)
    check(locate(client, named) == [uid], "locate by name finds the created key")
    key = client.get(uid)
    check(isinstance(key, objects.SymmetricKey), "a symmetric key comes back")
    check(key.cryptographic_algorithm == enums.CryptographicAlgorithm.AES, "of algorithm AES")
    check(key.cryptographic_length == 256 and len(key.value) == 32, "of 256 bits")
    check(client.get(uid).value == key.value, "the same bytes each time")
    check(state(client, uid) == enums.State.PRE_ACTIVE, "pre-active at first")
    names = client.get_attribute_list(uid)
    for wanted in ["Unique Identifier", "Object Type", "Cryptographic Algorithm", "State", "Name", "Digest"]:
        check(wanted in names, f"{wanted} is listed")
    client.activate(uid)
    check(state(client, uid) == enums.State.ACTIVE, "active after activation")
    refused(enums.ResultReason.PERMISSION_DENIED, client.activate, uid)
    refused(enums.ResultReason.PERMISSION_DENIED, client.destroy, uid)
    client.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, uid, "the suite is done with it")
    check(state(client, uid) == enums.State.DEACTIVATED, "deactivated after revocation")
    check(client.get(uid).value == key.value, "still readable when deactivated")
    client.destroy(uid)
    check(state(client, uid) == enums.State.DESTROYED, "destroyed, and its attributes remain")
    refused(enums.ResultReason.ITEM_NOT_FOUND, client.get, uid)
    check(locate(client, named) == [], "a destroyed key is not located")
    # The name is free again.
    again = client.create(enums.CryptographicAlgorithm.AES, 128, name=name, cryptographic_usage_mask=MASKS)
    check(again != uid and len(client.get(again).value) == 16, "the name can be given again")
    refused(
        enums.ResultReason.INVALID_FIELD,
        client.create,
        enums.CryptographicAlgorithm.AES,
        128,
        name=name,
        cryptographic_usage_mask=MASKS,
    )
    client.destroy(again)


def objects_name(text):
    from kmip.core import attributes

    return attributes.Name.create(text, enums.NameType.UNINTERPRETED_TEXT_STRING)


def registered_objects(client, version):
    material = bytes(range(32))
    key = objects.SymmetricKey(
        enums.CryptographicAlgorithm.AES, 256, material, masks=MASKS, name=f"pykmip-{version}-registered"
    )
    secret = objects.SecretData(
        b"a password of the suite", enums.SecretDataType.PASSWORD, masks=[enums.CryptographicUsageMask.DERIVE_KEY]
    )
    opaque = objects.OpaqueObject(b"opaque to the server", enums.OpaqueDataType.NONE)
    for thing, value in [(key, material), (secret, b"a password of the suite"), (opaque, b"opaque to the server")]:
        uid = client.register(thing)
        back = client.get(uid)
        check(type(back) is type(thing) and back.value == value, f"{type(thing).__name__} comes back as it went")
        client.destroy(uid)
        refused(enums.ResultReason.ITEM_NOT_FOUND, client.get, uid)


def compromised_key(client):
    uid = client.create(enums.CryptographicAlgorithm.AES, 256, cryptographic_usage_mask=MASKS)
    client.revoke(enums.RevocationReasonCode.KEY_COMPROMISE, uid, compromise_occurrence_date=6)
    check(state(client, uid) == enums.State.COMPROMISED, "compromised")
    check(len(client.get(uid).value) == 32, "a compromised key is still readable")
    client.destroy(uid)
    check(state(client, uid) == enums.State.DESTROYED_COMPROMISED, "destroyed compromised")


def changed_attributes(client):
    uid = client.create(enums.CryptographicAlgorithm.AES, 256, name="pykmip-before", cryptographic_usage_mask=MASKS)
    factory = AttributeFactory()
    renamed = factory.create_attribute(enums.AttributeType.NAME, objects_name("pykmip-after"), index=0)
    client.modify_attribute(uid, attribute=renamed)
    after = factory.create_attribute(enums.AttributeType.NAME, objects_name("pykmip-after"))
    before = factory.create_attribute(enums.AttributeType.NAME, objects_name("pykmip-before"))
    check(locate(client, after) == [uid], "located by its new name")
    check(locate(client, before) == [], "not by its old one")
    client.delete_attribute(uid, attribute_name="Name", attribute_index=0)
    check(locate(client, after) == [], "not located after the name is deleted")
    refused(
        enums.ResultReason.PERMISSION_DENIED,
        client.delete_attribute,
        uid,
        attribute_name="Cryptographic Algorithm",
    )
    client.destroy(uid)


def absent(client):
    nobody = "01890000-0000-7000-8000-000000000000"
    for call in [client.get, client.activate, client.destroy, client.get_attribute_list]:
        refused(enums.ResultReason.ITEM_NOT_FOUND, call, nobody)
    refused(enums.ResultReason.ITEM_NOT_FOUND, client.get, "no identifier of ours")


def main():
    (version,) = sys.argv[1:]
    client = ProxyKmipClient(
        hostname=os.environ["CLAVIS_HOST"],
        port=int(os.environ["CLAVIS_PORT"]),
        cert=os.environ["CLAVIS_CERTIFICATE"],
        key=os.environ["CLAVIS_KEY"],
        ca=os.environ["CLAVIS_AUTHORITY"],
        ssl_version="PROTOCOL_TLS",
        # PyKMIP reads a configuration file of the user's unless it is told of another.
        config_file="/dev/null",
        kmip_version=VERSIONS[version],
    )
    with client:
        created_key(client, version)
        registered_objects(client, version)
        compromised_key(client)
        changed_attributes(client)
        absent(client)
    steps.tell(f"{checks} checks")


if __name__ == "__main__":
    main()
