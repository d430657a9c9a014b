"""A cloud's own credentials on loopback: a key file of Google's, and the server that turns it into a token."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "ya29.canary-0123456789abcdefghij"


class Tokens(BaseHTTPRequestHandler):
    """Answers every request with the token."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing is printed."""


@contextmanager
def google_key_file(path):
    """The file of a service account whose tokens come from a loopback server; it holds a key made on the spot."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  (google-auth brings it)
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    account = {
        "type": "service_account",
        "project_id": "of-the-key",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "harness@of-the-key.iam.gserviceaccount.com",
        "token_uri": f"http://127.0.0.1:{server.server_port}/token",
    }
    path.write_text(json.dumps(account))
    try:
        yield path
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
