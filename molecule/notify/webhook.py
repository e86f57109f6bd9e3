# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Takes a webhook's calls over TLS, and writes each down as a line of JSON in /var/tmp/webhook.

usage: webhook.py CERTIFICATE KEY
"""

from __future__ import annotations

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers 204 to a call with the token, and 403 to any other."""

    def do_POST(self) -> None:
        """Writes the call down."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = self.headers["Authorization"] == "Bearer a-token-of-the-lab" and self.path == "/hook/of-the-lab"
        with open("/var/tmp/webhook", "a", encoding="utf-8") as file:
            file.write(json.dumps({"known": known, **body}) + "\n")
        self.send_response(204 if known else 403)
        self.end_headers()


server = HTTPServer(("", 8443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
