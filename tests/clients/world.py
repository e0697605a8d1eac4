"""What the tests of the clients are told by the environment, and what they share."""

import json
import os
import urllib.error
import urllib.request

# The program `taskstore serve`, and the example `application`, which has the router under a path.
BASE_URL = os.environ["BASE_URL"]
APPLICATION_URL = os.environ["APPLICATION_URL"]
# Both take these: of ann, who may do everything, and of somebody who may view.
TOKEN = os.environ["TOKEN"]
VIEWER_TOKEN = os.environ["VIEWER_TOKEN"]
# What the example `awkward_store` printed.
with open(os.environ["EXPECTED"], encoding="utf-8") as file:
    EXPECTED = json.load(file)


def ask(method, path, body=None, *, headers=None, token=TOKEN, base_url=BASE_URL):
    """Status, headers and body of an answer, whatever it is."""
    headers = dict(headers or {})
    if token is not None:
        headers.setdefault("Authorization", f"Bearer {token}")
    request = urllib.request.Request(base_url + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers, answer.read()
