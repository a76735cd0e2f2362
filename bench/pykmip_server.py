"""PyKMIP's server as the baseline of the benchmark: the certificates of a throw-away PKI, a database of its own.

Usage: pykmip_server.py PKI STATE, where PKI holds ca.pem, server.pem and server.key (an EC key) and STATE is a folder
for database and log. The first line on standard output is {"kmip": "127.0.0.1:PORT"}. Ends when standard input does.

The set-up is in PyKMIP's favour: log level ERROR (its INFO writes several lines for each request), the policy folder
not watched, and a backlog that takes a burst of connections. With its own backlog of 5, sixteen clients that connect
at once wait for the kernel to try again after a second, and the numbers would be the kernel's.
"""

import json
import os
import pathlib
import signal
import sys
import threading
import warnings

# PyKMIP names an old constant of the ssl module, and Python says so at each start.
warnings.simplefilter("ignore", DeprecationWarning)

from kmip.services.server import KmipServer  # noqa: E402

BACKLOG = 1024


class Baseline(KmipServer):
    """PyKMIP's server, on a port that the system chooses."""

    def __init__(self, pki, state):
        policies = state / "policies"
        policies.mkdir(exist_ok=True)
        super().__init__(
            hostname="127.0.0.1",
            port=1,
            certificate_path=str(pki / "server.pem"),
            key_path=str(pki / "server.key"),
            ca_path=str(pki / "ca.pem"),
            auth_suite="TLS1.2",
            config_path=None,
            log_path=str(state / "server.log"),
            policy_path=str(policies),
            enable_tls_client_auth=True,
            # An RSA suite is all that PyKMIP would offer by itself.
            tls_cipher_suites="TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            logging_level="ERROR",
            database_path=str(state / "pykmip.sqlite"),
        )
        # The setting's own check does not let the system choose.
        self.config.settings["port"] = 0

    def serve(self):
        listen = self._socket.listen
        listen(BACKLOG)
        self._socket.listen = lambda _backlog: listen(BACKLOG)
        host, port = self._socket.getsockname()
        print(json.dumps({"kmip": f"{host}:{port}"}), flush=True)
        super().serve()


def end_with_standard_input():
    """Whoever started this holds the other end; when it is gone, however that came, this has no purpose."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    # Its own way of stopping waits ten seconds for each thread; there is nothing here to be saved.
    os.killpg(0, signal.SIGKILL)


def main():
    pki, state = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    # A group of its own, so that the helper process of its policies ends with it.
    os.setpgid(0, 0)
    server = Baseline(pki, state)
    server.start()
    # Not before: start() forks, and a child that is forked while a thread is about may wait for its locks for ever.
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    server.serve()


if __name__ == "__main__":
    main()
