"""A small stand-in for GitHub's REST API on loopback: what our jobs ask of it, in memory, told apart by token."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, abort, jsonify, request
from werkzeug.serving import make_server

BOT = "github-actions[bot]"
REPOSITORY = "bakers/feedstocks"
WRITER, READER = "write-token-canary", "read-token-canary"


def user(login: str) -> dict[str, Any]:
    """Describe an account as GitHub does."""
    return {"login": login, "id": abs(hash(login)) % 10**6, "type": "Bot" if login.endswith("[bot]") else "User"}


@dataclass
class GitHub:
    """Issues, pull requests, comments and labels of one repository, and every request that was made.

    `tokens` maps a token to an account and whether it may write; `permissions` maps logins to theirs.
    """

    url: str = ""
    tokens: dict[str, tuple[str, bool]] = field(default_factory=lambda: {WRITER: (BOT, True), READER: (BOT, False)})
    permissions: dict[str, str] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    reactions: list[tuple[int, str]] = field(default_factory=list)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    dispatches: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)

    def environment(self, token: str = WRITER) -> dict[str, str]:
        """Give the variables that a job of this repository has."""
        return {
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_TOKEN": token,
            "GITHUB_RUN_ID": "77",
        }

    def number(self) -> int:
        """Give the next number of an issue or pull request."""
        return max(self.issues, default=0) + 1

    def add_issue(self, title: str, body: str = "", login: str = "reader", labels: tuple[str, ...] = ()) -> int:
        """Open an issue as somebody."""
        number = self.number()
        self.issues[number] = {
            "number": number, "id": 1000 + number, "title": title, "body": body, "state": "open", "user": user(login),
            "labels": [{"name": name} for name in labels], "created_at": now(), "updated_at": now(),
            "url": f"{self.url}/repos/{REPOSITORY}/issues/{number}",
            "html_url": f"https://github.com/{REPOSITORY}/issues/{number}",
            "author_association": "NONE", "state_reason": None, "comments": 0,
        }  # fmt: skip
        return number

    def add_pull(
        self, title: str, head: str, sha: str, base: str = "main", base_sha: str = "", login: str = "contributor",
        body: str = "", repo: str = REPOSITORY, draft: bool = False, files: tuple[dict[str, Any], ...] = (),
    ) -> int:  # fmt: skip
        """Open a pull request as somebody; `repo` is the fork that it comes from, `files` what it changes."""
        number = self.add_issue(title, body, login)
        url = f"{self.url}/repos/{REPOSITORY}/pulls/{number}"
        self.issues[number]["pull_request"] = {"url": url}
        owner = repo.split("/")[0]
        head_repo = {"full_name": repo, "fork": repo != REPOSITORY, "owner": user(owner), "name": repo.split("/")[1]}
        self.pulls[number] = {
            **self.issues[number], "url": url, "html_url": f"https://github.com/{REPOSITORY}/pull/{number}",
            "head": {"ref": head, "sha": sha, "label": f"{owner}:{head}", "repo": head_repo},
            "base": {"ref": base, "sha": base_sha, "repo": {"full_name": REPOSITORY}},
            "draft": draft, "merged": False, "merged_at": None, "merge_commit_sha": None,
            "files": list(files), "changed_files": len(files), "issue_url": self.issues[number]["url"],
        }  # fmt: skip
        return number

    def comment(self, number: int, body: str, login: str = BOT) -> dict[str, Any]:
        """Comment as somebody."""
        key = max(self.comments, default=0) + 1
        found = {
            "id": key, "issue": number, "body": body, "user": user(login), "created_at": now(), "updated_at": now(),
            "url": f"{self.url}/repos/{REPOSITORY}/issues/comments/{key}",
            "html_url": f"https://github.com/{REPOSITORY}/issues/{number}#issuecomment-{key}",
            "author_association": "MEMBER" if self.permissions.get(login) in ("write", "admin") else "NONE",
        }  # fmt: skip
        self.comments[key] = found
        return found

    def said(self, number: int) -> list[str]:
        """List the comments under an issue or pull request."""
        return [each["body"] for each in self.comments.values() if each["issue"] == number]

    def writes(self) -> list[tuple[str, str, Any]]:
        """List the requests that change something."""
        return [each for each in self.requests if each[0] != "GET"]


def now() -> str:
    """Say the time as the API does."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def application(hub: GitHub) -> Flask:
    """Answer for a repository."""
    app, root = Flask("github"), f"/repos/{REPOSITORY}"

    @app.before_request
    def check() -> Any:
        token = request.headers.get("Authorization", "").split(" ")[-1]
        sent = request.get_json(silent=True) if request.data else None
        hub.requests.append((request.method, request.full_path.rstrip("?"), sent))
        if token not in hub.tokens:
            return jsonify(message="Bad credentials"), 401
        login, may_write = hub.tokens[token]
        if request.method != "GET" and not may_write:
            return jsonify(message="Resource not accessible by integration"), 403
        request.environ["login"] = login
        return None

    def paged(found: list[dict[str, Any]]) -> Response:
        size, page = int(request.args.get("per_page", 30)), int(request.args.get("page", 1))
        answer = jsonify(found[(page - 1) * size : page * size])
        if page * size < len(found):
            rest = "&".join(f"{key}={value}" for key, value in request.args.items() if key != "page")
            answer.headers["Link"] = f'<{hub.url}{request.path}?{rest}&page={page + 1}>; rel="next"'
        return answer

    def known(of: dict[int, dict[str, Any]], number: int) -> dict[str, Any]:
        return of[number] if number in of else abort(404)

    def seen(number: int) -> dict[str, Any]:
        return {**hub.pulls[number], "labels": hub.issues[number]["labels"]}

    def changed(of: dict[str, Any]) -> dict[str, Any]:
        sent = request.get_json()
        if "labels" in sent:
            sent["labels"] = [{"name": each} for each in sent["labels"]]
        of.update(sent, updated_at=now())
        return of

    @app.get(f"{root}/issues")
    def issues() -> Response:
        state, wanted = request.args.get("state", "open"), request.args.get("labels", "")
        names = {each for each in wanted.split(",") if each}
        found = [
            each
            for each in hub.issues.values()
            if state in ("all", each["state"]) and names <= {label["name"] for label in each["labels"]}
        ]
        return paged(sorted(found, key=lambda each: each["number"], reverse=request.args.get("direction") != "asc"))

    @app.post(f"{root}/issues")
    def new_issue() -> Any:
        sent = request.get_json()
        labels = tuple(sent.get("labels") or ())
        number = hub.add_issue(sent["title"], sent.get("body") or "", request.environ["login"], labels)
        return jsonify(hub.issues[number]), 201

    @app.get(f"{root}/issues/<int:number>")
    def issue(number: int) -> Response:
        return jsonify(known(hub.issues, number))

    @app.patch(f"{root}/issues/<int:number>")
    def edit_issue(number: int) -> Response:
        return jsonify(changed(known(hub.issues, number)))

    @app.get(f"{root}/issues/<int:number>/comments")
    def comments(number: int) -> Response:
        known(hub.issues, number)
        return paged([each for each in hub.comments.values() if each["issue"] == number])

    @app.post(f"{root}/issues/<int:number>/comments")
    def new_comment(number: int) -> Any:
        known(hub.issues, number)
        sent = request.get_json()["body"]
        if len(sent) > 65536:
            return jsonify(message="Validation Failed: body is too long (maximum is 65536 characters)"), 422
        return jsonify(hub.comment(number, sent, request.environ["login"])), 201

    @app.route(f"{root}/issues/comments/<int:key>", methods=["GET", "PATCH", "DELETE"])
    def one_comment(key: int) -> Any:
        found = known(hub.comments, key)
        if request.method == "DELETE":
            return hub.comments.pop(key) and ("", 204)
        return jsonify(changed(found) if request.method == "PATCH" else found)

    @app.post(f"{root}/issues/comments/<int:key>/reactions")
    def react(key: int) -> Any:
        hub.reactions.append((key, request.get_json()["content"]))
        return jsonify(id=1, content=request.get_json()["content"]), 201

    @app.route(f"{root}/issues/<int:number>/labels", methods=["GET", "POST", "PUT"])
    def labels(number: int) -> Response:
        found = known(hub.issues, number)
        sent = request.get_json(silent=True) or {}
        names = sent.get("labels", []) if isinstance(sent, dict) else sent
        if request.method == "PUT":
            found["labels"] = []
        there = {each["name"] for each in found["labels"]}
        found["labels"] += [{"name": name} for name in names if name not in there]
        return jsonify(found["labels"])

    @app.delete(f"{root}/issues/<int:number>/labels/<name>")
    def unlabel(number: int, name: str) -> Response:
        found = known(hub.issues, number)
        found["labels"] = [each for each in found["labels"] if each["name"] != name]
        return jsonify(found["labels"])

    @app.get(f"{root}/labels/<name>")
    def label(name: str) -> Response:
        return jsonify(name=name, color="ededed")

    @app.get(f"{root}/pulls")
    def pulls() -> Response:
        state, head = request.args.get("state", "open"), request.args.get("head")
        found = [
            seen(number)
            for number, each in sorted(hub.pulls.items())
            if state in ("all", hub.issues[number]["state"]) and head in (None, each["head"]["label"])
        ]
        return paged(found)

    @app.post(f"{root}/pulls")
    def new_pull() -> Any:
        sent = request.get_json()
        number = hub.add_pull(
            sent["title"], sent["head"], "0" * 40, sent["base"], login=request.environ["login"],
            body=sent.get("body") or "", draft=bool(sent.get("draft")),
        )  # fmt: skip
        return jsonify(hub.pulls[number]), 201

    @app.route(f"{root}/pulls/<int:number>", methods=["GET", "PATCH"])
    def pull(number: int) -> Response:
        found = known(hub.pulls, number)
        if request.method == "PATCH":
            changed(found)
        return jsonify(seen(number))

    @app.get(f"{root}/pulls/<int:number>/files")
    def files(number: int) -> Response:
        return paged(known(hub.pulls, number).get("files", []))

    @app.get(f"{root}/commits/<sha>/pulls")
    def pulls_of(sha: str) -> Response:
        return paged([each for each in hub.pulls.values() if sha in (each["head"]["sha"], each["merge_commit_sha"])])

    @app.get(f"{root}/collaborators/<login>/permission")
    def permission(login: str) -> Response:
        return jsonify(permission=hub.permissions.get(login, "none"), user=user(login))

    @app.post(f"{root}/actions/workflows/<file>/dispatches")
    def dispatch(file: str) -> Any:
        sent = request.get_json()
        hub.dispatches.append((file, sent["ref"], sent.get("inputs") or {}))
        return "", 204

    @app.get(f"{root}/actions/workflows/<file>")
    def workflow(file: str) -> Response:
        return jsonify(
            id=1, name=file, path=f".github/workflows/{file}", url=f"{hub.url}{root}/actions/workflows/{file}"
        )

    @app.get(f"{root}/actions/workflows/<file>/runs")
    def runs(file: str) -> Response:
        since = request.args.get("created", "").removeprefix(">=")
        found = [each for each in hub.runs if each["created_at"] >= since]
        return jsonify(total_count=len(found), workflow_runs=found)

    @app.get(root)
    def repo() -> Response:
        return jsonify(full_name=REPOSITORY, name="feedstocks", default_branch="main", owner=user("bakers"))

    return app


@contextmanager
def github(**known: Any) -> Iterator[GitHub]:
    """Serve a repository on loopback while the block runs."""
    hub = GitHub(**known)
    server = make_server("127.0.0.1", 0, application(hub), threaded=True)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
