"""As much of S3 on loopback as DuckDB asks: objects put whole or in parts, read in ranges, listed, deleted."""

import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

from tests.threaded import running

KEY, SECRET = "AKIAEXAMPLE", "a secret of the bucket"


class _Bucket(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path, query = self._asked()
        if "list-type" in query or path.count("/") == 1:
            prefix = query.get("prefix", [""])[0]
            names = sorted(name for name in self.server.objects if name.startswith(f"{path.rstrip('/')}/{prefix}"))
            rows = "".join(
                f"<Contents><Key>{escape(name.split('/', 2)[2])}</Key><Size>{len(self.server.objects[name])}</Size>"
                "<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag></Contents>"
                for name in names
            )
            body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
            return self._answer(200, body.encode(), "application/xml")
        content = self.server.objects.get(path)
        if content is None:
            return self._answer(404, b"")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if wanted is None:
            return self._answer(200, content)
        first, last = int(wanted[1]), min(int(wanted[2] or len(content) - 1), len(content) - 1)
        extra = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return self._answer(206, content[first : last + 1], **extra)

    do_HEAD = do_GET

    def do_PUT(self):
        path, query = self._asked()
        body = self._body()
        if "uploadId" in query:
            self.server.parts[query["uploadId"][0], int(query["partNumber"][0])] = body
        else:
            self.server.objects[path] = body
        self._answer(200, b"", ETag='"e"')

    def do_POST(self):
        path, query = self._asked()
        body = self._body().decode()
        if "uploads" in query:
            number = f"u{next(self.server.numbers)}"
            return self._answer(200, f"<R><UploadId>{number}</UploadId></R>".encode(), "application/xml")
        if "delete" in query:
            for name in re.findall(r"<Key>(.*?)</Key>", body):
                self.server.objects.pop(f"{path.rstrip('/')}/{unescape(name)}", None)
            return self._answer(200, b"<DeleteResult></DeleteResult>", "application/xml")
        parts = {n: part for (number, n), part in self.server.parts.items() if number == query["uploadId"][0]}
        self.server.objects[path] = b"".join(parts[n] for n in sorted(parts))
        done = f"<CompleteMultipartUploadResult><Key>{escape(path)}</Key><ETag>e</ETag></CompleteMultipartUploadResult>"
        return self._answer(200, done.encode(), "application/xml")

    def do_DELETE(self):
        self.server.objects.pop(self._asked()[0], None)
        self._answer(204, b"")

    def _asked(self):
        assert f"Credential={KEY}/" in self.headers.get("Authorization", ""), "every request is signed"
        parts = urlsplit(self.path)
        return unquote(parts.path), parse_qs(parts.query, keep_blank_values=True)

    def _body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status, body, kind="binary/octet-stream", **headers):
        self.send_response(status)
        headers = {"ETag": '"e"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "Accept-Ranges": "bytes"} | headers
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def served():
    """The server: its `objects` are contents by `/bucket/key`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bucket)
    server.objects, server.parts, server.numbers = {}, {}, count(1)
    with running(server):
        yield server
