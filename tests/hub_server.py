"""A small Hub on loopback, for the real huggingface_hub client: repositories, commits, search, LFS and Xet.

It keeps everything in memory (Xet content in a folder, which hf_xet itself reads and writes), answers what the client
asks in the tests, logs every request, and can break off downloads.
"""

import base64
import hashlib
import json
import struct
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from urllib.parse import parse_qs, unquote, urlsplit

USERS = {"hf_alice": "alice", "hf_bob": "bob"}
LFS_SUFFIXES = (".safetensors", ".bin", ".png")


@dataclass(frozen=True)
class Blob:
    """A file's content, in memory or in the Xet store."""

    data: bytes | None
    size: int
    sha256: str | None = None
    xet_hash: str | None = None

    @property
    def oid(self) -> str:
        if self.sha256:
            return self.sha256
        assert self.data is not None
        return hashlib.sha1(b"blob %d\0" % self.size + self.data).hexdigest()

    def entry(self) -> dict:
        entry: dict = {"oid": self.oid, "size": self.size}
        if self.sha256:
            entry["lfs"] = {"oid": self.sha256, "sha256": self.sha256, "size": self.size, "pointerSize": 134}
        return {**entry, "xetHash": self.xet_hash} if self.xet_hash else entry


@dataclass
class Repo:
    """Commits in order, each a complete listing of files."""

    kind: str
    repo_id: str
    private: bool
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)

    @property
    def head(self) -> str:
        return list(self.commits)[-1]

    def at(self, revision: str) -> str | None:
        revision = self.head if revision == "main" else revision
        return revision if revision in self.commits else None

    def add(self, files: dict[str, Blob]) -> str:
        commit = hashlib.sha1(f"{self.repo_id}{len(self.commits)}{sorted(files)}".encode()).hexdigest()
        self.commits[commit] = files
        return commit


class HubServer(ThreadingHTTPServer):
    """Start with `with HubServer() as hub`; `hub.url` is the endpoint.

    Attributes:
        requests: "METHOD /path" of every request, in order.
        broken: How many more downloads of a file break off in the middle, by path.
        ranges: Where the last download of a file started, by path.
        xet: Folder of the Xet store; LFS alone if None.
    """

    daemon_threads = True

    def __init__(self, xet: Path | None = None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.xet = xet
        self.repos: dict[tuple[str, str], Repo] = {}
        self.lfs: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.broken: dict[str, int] = {}
        self.ranges: dict[str, int] = {}
        self.lock = Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> "HubServer":
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def create(self, repo_id: str, kind: str = "model", private: bool = False) -> Repo:
        repo = Repo(kind, repo_id, private)
        repo.add({".gitattributes": Blob(b"", 0)})
        return self.repos.setdefault((kind, repo_id), repo)

    def upload(self, repo_id: str, files: dict[str, bytes | None]) -> str:
        """A commit behind the client's back; a file that is None is deleted."""
        repo = self.repos.get(("model", repo_id)) or self.create(repo_id)
        known = {path: blob for path, blob in repo.commits[repo.head].items() if path not in files}
        return repo.add(known | {path: self.blob(path, data) for path, data in files.items() if data is not None})

    def blob(self, path: str, data: bytes) -> Blob:
        return Blob(data, len(data), hashlib.sha256(data).hexdigest() if path.endswith(LFS_SUFFIXES) else None)

    def files(self, repo_id: str) -> dict[str, Blob]:
        repo = self.repos["model", repo_id]
        return repo.commits[repo.head]

    def downloads(self) -> list[str]:
        """Paths of the files whose content was asked for."""
        return [line.split("/", 5)[5] for line in self.requests if line.startswith("GET") and "/resolve/" in line]

    def xet_hash(self, sha256: str) -> str:
        """The Xet hash of a stored file, from the shards that the client uploaded.

        A shard is a header of 48 bytes and records of 48 bytes: a file's hash, flags and number of segments, its
        segments, their verification (flag 31) and the file's SHA-256 (flag 30). Hashes are 4 little-endian words.
        """
        assert self.xet is not None
        words = bytes.fromhex(sha256)
        stored = b"".join(words[i : i + 8][::-1] for i in range(0, 32, 8))
        for shard in self.xet.rglob("*.mdb"):
            data, at = shard.read_bytes(), 48
            while data[at : at + 32] != b"\xff" * 32:
                flags, segments = struct.unpack_from("<II", data, at + 32)
                last = at + 48 * (1 + segments * (2 if flags >> 31 else 1))
                if flags >> 30 & 1 and data[last : last + 32] == stored:
                    return b"".join(data[at + i : at + i + 8][::-1] for i in range(0, 32, 8)).hex()
                at = last + (48 if flags >> 30 & 1 else 0)
        raise KeyError(f"{sha256} was not uploaded")


class Handler(BaseHTTPRequestHandler):
    """The endpoints; see the client's requests in huggingface_hub for their forms."""

    server: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer()

    do_HEAD = do_POST = do_PUT = do_GET

    def answer(self) -> None:
        url = urlsplit(self.path)
        self.query = parse_qs(url.query)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.user = USERS.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        with self.server.lock:
            self.server.requests.append(f"{self.command} {unquote(url.path)}")
        # A revision may hold an escaped slash: split first.
        match self.command, [unquote(part) for part in url.path.strip("/").split("/")]:
            case "POST", ["api", "repos", "create"]:
                self.create()
            case "POST", ["api", "validate-yaml"]:
                self.validate(json.loads(self.body)["content"])
            case "GET", ["api", "models"]:
                self.search()
            case "PUT", ["lfs", oid]:
                self.store(oid)
            case "HEAD", [""]:
                self.json({})
            case _, ["api", kinds, owner, name, *rest]:
                if repo := self.find(kinds.removesuffix("s"), f"{owner}/{name}"):
                    self.api(repo, rest)
            case "POST", [owner, name, "info", "lfs", "objects", "batch"]:
                if repo := self.find("model", f"{owner}/{name.removesuffix('.git')}"):
                    self.batch(repo)
            case "GET" | "HEAD", [owner, name, "resolve", revision, *path]:
                if repo := self.find("model", f"{owner}/{name}"):
                    self.resolve(repo, revision, "/".join(path))
            case _:
                self.error(404, "")

    def json(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def error(self, status: int, code: str, message: str = "") -> None:
        self.json({"error": message or code}, status, {"X-Error-Code": code} if code else {})

    def find(self, kind: str, repo_id: str) -> Repo | None:
        """The repository if the user may read it; without a token the Hub does not even say whether it exists."""
        repo = self.server.repos.get((kind, repo_id))
        if repo and (not repo.private or self.user == repo_id.split("/")[0]):
            return repo
        self.error(404 if self.user else 401, "RepoNotFound")
        return None

    def may_write(self, owner: str) -> bool:
        if self.user != owner:
            self.error(403 if self.user else 401, "", "You have read access only")
        return self.user == owner

    def validate(self, card: str) -> None:
        """The Hub's rules for a licence that is not on its list."""
        lines = dict(line.split(": ", 1) for line in card.split("---")[1].splitlines() if ": " in line)
        linked = lines.get("license_link", "")
        valid = lines.get("license") == "other" and lines.get("license_name")
        if valid and (linked in ("LICENSE", "LICENSE.md") or linked.startswith("https://")):
            self.json({"errors": [], "warnings": []})
        else:
            self.json({"errors": [{"message": "license is not valid"}], "warnings": []}, 400)

    def create(self) -> None:
        content = json.loads(self.body)
        owner = content["organization"] or self.user
        kind, repo_id = content.get("type", "model"), f"{owner}/{content['name']}"
        url = {"url": f"{self.server.url}/{repo_id}"}
        if not self.may_write(owner):
            return
        if (kind, repo_id) in self.server.repos:
            self.json({**url, "error": "You already created this model repo"}, 409)
        else:
            self.server.create(repo_id, kind, content.get("visibility") == "private")
            self.json(url)

    def search(self) -> None:
        words, wanted = self.query.get("search", [""])[0], set(self.query.get("filter", []))
        found = []
        for repo in self.server.repos.values():
            readme = repo.commits[repo.head].get("README.md", Blob(b"", 0)).data or b""
            tags = {line[2:] for line in readme.decode().split("---")[1:2] for line in line.splitlines()}
            visible = not repo.private or self.user == repo.repo_id.split("/")[0]
            if repo.kind == "model" and visible and words.lower() in repo.repo_id.lower() and wanted <= tags:
                found.append(self.info(repo, repo.head))
        self.json(found)

    def info(self, repo: Repo, commit: str) -> dict:
        files = repo.commits[commit]
        return {
            "_id": "0",
            "id": repo.repo_id,
            "modelId": repo.repo_id,
            "sha": commit,
            "private": repo.private,
            "downloads": 3,
            "likes": 0,
            "lastModified": "2026-01-01T00:00:00.000Z",
            "tags": [],
            "siblings": [
                {"rfilename": path, **({"blobId": blob.oid, **blob.entry()} if "blobs" in self.query else {})}
                for path, blob in files.items()
            ],
        }

    def api(self, repo: Repo, rest: list[str]) -> None:
        action, revision = rest[0] if rest else "", rest[1] if len(rest) > 1 else "main"
        commit = repo.at(revision)
        if commit is None:
            return self.error(404, "RevisionNotFound")
        match self.command, action:
            case "GET", "" | "revision":
                self.json(self.info(repo, commit))
            case "GET", "tree":
                files = repo.commits[commit].items()
                self.json([{"type": "file", "path": path, **blob.entry()} for path, blob in files])
            case "GET", "xet-read-token" | "xet-write-token" if self.server.xet:
                self.token(self.server.xet)
            case "PUT", "settings" if self.may_write(repo.repo_id.split("/")[0]):
                repo.private = json.loads(self.body)["visibility"] == "private"
                self.json({})
            case "POST", "preupload" if self.may_write(repo.repo_id.split("/")[0]):
                self.preupload(repo.commits[commit])
            case "POST", "commit" if self.may_write(repo.repo_id.split("/")[0]):
                self.commit(repo)
            case "GET" | "HEAD", _:
                self.error(404, "")

    def token(self, store: Path) -> None:
        expires, place = int(time.time()) + 3600, f"local://{store}"
        headers = {"X-Xet-Cas-Url": place, "X-Xet-Access-Token": "token", "X-Xet-Token-Expiration": str(expires)}
        self.json({"casUrl": place, "accessToken": "token", "exp": expires}, headers=headers)

    def preupload(self, known: dict[str, Blob]) -> None:
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(LFS_SUFFIXES) else "regular",
                "shouldIgnore": False,
                "oid": known[file["path"]].oid if file["path"] in known else None,
            }
            for file in json.loads(self.body)["files"]
        ]
        self.json({"files": files})

    def batch(self, repo: Repo) -> None:
        if not self.may_write(repo.repo_id.split("/")[0]):
            return
        objects: list[dict] = json.loads(self.body)["objects"]
        for item in objects:
            if item["oid"] not in self.server.lfs:
                item["actions"] = {"upload": {"href": f"{self.server.url}/lfs/{item['oid']}", "header": {}}}
        self.json({"transfer": "basic", "objects": objects})

    def store(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            return self.error(400, "", "content does not match its hash")
        self.server.lfs[oid] = self.body
        self.json({})

    def commit(self, repo: Repo) -> None:
        lines = [json.loads(line) for line in self.body.splitlines()]
        with self.server.lock:
            if lines[0]["value"].get("parentCommit") not in (None, repo.head):
                return self.error(412, "", "the branch has moved")
            files = dict(repo.commits[repo.head])
            for line in lines[1:]:
                value, path = line["value"], line["value"]["path"]
                if line["key"] == "file":
                    files[path] = self.server.blob("", base64.b64decode(value["content"]))
                elif line["key"] == "lfsFile" and self.server.xet:
                    oid = value["oid"]
                    files[path] = Blob(None, value["size"], oid, self.server.xet_hash(oid))
                elif line["key"] == "lfsFile":
                    files[path] = Blob(self.server.lfs[value["oid"]], value["size"], value["oid"])
                elif line["key"] == "deletedFile":
                    del files[path]
            commit = repo.add(files)
        self.json({"commitUrl": f"{self.server.url}/{repo.repo_id}/commit/{commit}", "commitOid": commit})

    def resolve(self, repo: Repo, revision: str, path: str) -> None:
        commit = repo.at(revision)
        if commit is None:
            return self.error(404, "RevisionNotFound")
        blob = repo.commits[commit].get(path)
        if blob is None:
            return self.error(404, "EntryNotFound")
        start = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{blob.oid}"')
        self.send_header("Content-Length", str(blob.size - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{blob.size - 1}/{blob.size}")
        if blob.xet_hash:
            self.send_header("X-Xet-Hash", blob.xet_hash)
            route = f"{self.server.url}/api/models/{repo.repo_id}/xet-read-token/{commit}"
            self.send_header("X-Xet-Refresh-Route", route)
        self.end_headers()
        if self.command == "HEAD":
            return
        assert blob.data is not None, "the client must fetch this from the Xet store"
        self.server.ranges[path] = start
        end = blob.size
        if self.server.broken.get(path):
            self.server.broken[path] -= 1
            self.close_connection = True
            end = (start + blob.size) // 2
        self.wfile.write(blob.data[start:end])
