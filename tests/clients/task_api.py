"""A client of the task API, written from the published page alone, and strict: the envelope, the members and their order,
their types, the words of the states, nine fraction digits.
"""

import json
import re
import unittest
from concurrent.futures import ThreadPoolExecutor

from world import APPLICATION_URL, BASE_URL, EXPECTED, TOKEN, VIEWER_TOKEN, ask

STORED = EXPECTED["tasks"]
TASKS = STORED["tasks"]

MEMBERS = {
    "configuration_id": int,
    "configuration_name": str,
    "hidden_by": str,
    "finished": str,
    "messages": list,
    "performed_by": str,
    "started": str,
    "state": str,
    "task_id": int,
    "title": str,
    "updated": str,
}
STATES = {"In Progress", "End", "Failed", "Dismissed"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", re.ASCII)


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(f"{status}: {message}")
        self.status, self.message = status, message


class ProtocolError(Exception):
    """The answer is not what the page says."""


def check(holds, *what):
    if not holds:
        raise ProtocolError(*what)


def each_once(pairs):
    check(len({name for name, _ in pairs}) == len(pairs), "a member is repeated", [name for name, _ in pairs])
    return dict(pairs)


class Client:
    def __init__(self, base_url=BASE_URL, token=TOKEN):
        self.base_url, self.token = base_url, token

    def call(self, path, **params):
        """The result; `Refused` if there is none."""
        return self.post(path, json.dumps({"params": params}).encode())

    def post(self, path, body, content_type="application/json"):
        headers = {"Content-Type": content_type}
        status, headers, body = ask("POST", path, body, headers=headers, token=self.token, base_url=self.base_url)
        check(headers["Content-Type"] == "application/json", headers["Content-Type"])
        envelope = json.loads(body.decode(), object_pairs_hook=each_once)
        if status == 200:
            check(list(envelope) == ["result", "successful"] and envelope["successful"] is True, body[:200])
            return envelope["result"]
        check(list(envelope) == ["error", "successful"] and envelope["successful"] is False, body[:200])
        check(list(envelope["error"]) == ["message"] and type(envelope["error"]["message"]) is str, body[:200])
        raise Refused(status, envelope["error"]["message"])

    def list(self, **params):
        result = self.call("/task/list", **params)
        check(list(result) == ["tasks"] and type(result["tasks"]) is list, list(result))
        return [checked(task) for task in result["tasks"]]

    def task(self, path, **params):
        return checked(self.call(path, **params))


def checked(task):
    check(list(task) == list(MEMBERS), list(task))
    for name, kind in MEMBERS.items():
        check(type(task[name]) is kind, name, task[name])
    check(task["state"] in STATES, task["state"])
    check((task["state"] == "Dismissed") == (task["hidden_by"] != ""), task["state"], task["hidden_by"])
    check(task["state"] != "In Progress" or task["finished"] == "", task["finished"])
    check(task["configuration_id"] >= 0, task["configuration_id"])
    times = [task["started"], task["updated"]] + [task["finished"]] * (task["finished"] != "")
    for message in task["messages"]:
        check(list(message) == ["message", "time"] and type(message["message"]) is str, message)
        times.append(message["time"])
    for time in times:
        check(TIME.fullmatch(time), time)
    return task


def shown(tasks, hidden=False):
    return [task for task in tasks if hidden or task["state"] != "Dismissed"]


class Lists(unittest.TestCase):
    maxDiff = 2_000

    def assert_tasks(self, got, expected):
        self.assertEqual([task["title"][:40] for task in got], [task["title"][:40] for task in expected])
        for task, stored in zip(got, expected, strict=True):
            # The text, so that the order of the members counts.
            self.assertEqual(json.dumps(task), json.dumps(stored))

    def test_by_default_all_that_are_not_dismissed(self):
        for body in (b"", b"{}", b'{"params":{}}', b'{"params":null}', b" \n"):
            result = Client().post("/task/list", body)
            self.assert_tasks([checked(task) for task in result["tasks"]], shown(TASKS))
        self.assert_tasks(Client().list(show_hidden=False, configuration_id=0), shown(TASKS))

    def test_dismissed_ones_also(self):
        self.assert_tasks(Client().list(show_hidden=True), TASKS)
        self.assert_tasks(Client().list(show_dismissed=True), TASKS)

    def test_of_a_configuration(self):
        of_it = [task for task in TASKS if task["configuration_id"] == STORED["configuration"]]
        self.assertEqual(len(of_it), 2)
        self.assert_tasks(Client().list(configuration_id=STORED["configuration"], show_hidden=True), of_it)
        self.assert_tasks(Client().list(configuration_id=STORED["configuration"]), shown(of_it))

    def test_of_a_configuration_that_there_is_not(self):
        for configuration_id in (STORED["deleted_configuration"], 999, 2**63 - 1):
            self.assertEqual(Client().list(configuration_id=configuration_id, show_hidden=True), [])

    def test_each_task_is_shown_as_it_was_listed(self):
        client = Client()
        self.assert_tasks([client.task("/task/show", task_id=task["task_id"]) for task in TASKS], TASKS)

    def test_the_tasks_are_as_awkward_as_meant(self):
        """Else the others would show little."""
        self.assertEqual({task["state"] for task in TASKS}, STATES)
        self.assertEqual(max(len(task["messages"]) for task in TASKS), 10_000)
        self.assertIn("", [task["title"] for task in TASKS])
        self.assertIn("2026-11-21T12:00:00.000000000Z", [task["started"] for task in TASKS])
        deleted = [task for task in TASKS if task["configuration_name"] and task["configuration_id"] == 0]
        self.assertEqual([task["configuration_name"] for task in deleted], ["deleted"])


class Refusals(unittest.TestCase):
    def assert_refused(self, status, message, call):
        with self.assertRaises(Refused) as raised:
            call()
        self.assertEqual((raised.exception.status, raised.exception.message), (status, message))

    def test_an_unknown_task(self):
        for path in ("/task/show", "/task/dismiss", "/task/restore"):
            for task_id in (999, 0, -1, 2**63 - 1, -(2**63)):
                message = f"task {task_id} does not exist"
                self.assert_refused(400, message, lambda: Client().call(path, task_id=task_id))

    def test_a_task_that_is_not_said_or_no_number(self):
        self.assert_refused(400, "params.task_id is missing", lambda: Client().call("/task/show"))
        for task_id in ("1", 1.0, 2**63, True, [1], {"task_id": 1}):
            message = "params.task_id must be a 64-bit integer"
            self.assert_refused(400, message, lambda: Client().call("/task/show", task_id=task_id))

    def test_a_configuration_that_none_can_be(self):
        message = "params.configuration_id is -1; it must not be negative"
        self.assert_refused(400, message, lambda: Client().list(configuration_id=-1))
        message = "params.configuration_id must be a 64-bit integer"
        self.assert_refused(400, message, lambda: Client().list(configuration_id=2**64))

    def test_a_flag_that_is_none(self):
        for flag in (1, "true", []):
            message = "params.show_hidden must be true or false"
            self.assert_refused(400, message, lambda: Client().list(show_hidden=flag))

    def test_bodies_that_are_not_what_they_should_be(self):
        for body in (b"{", b"[]", b"1", b'"x"', b"null", b'{"params":[]}', b'{"params":1}', b"\xff", b"{}{}", b"\xef\xbb\xbf{}",
                     b"[" * 60_000, b'{"params":' * 5_000, b'{"params":{"task_id":' + b"9" * 60_000 + b"}}"):
            with self.assertRaises(Refused, msg=body[:40]) as raised:
                Client().post("/task/show", body)
            self.assertEqual(raised.exception.status, 400, body[:40])
        message = "the body is too long; the limit is 65536 bytes"
        self.assert_refused(400, message, lambda: Client().post("/task/list", b" " * 65_537))
        self.assertTrue(Client().post("/task/list", b" " * 65_536)["tasks"])

    def test_another_type_than_json(self):
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"):
            message = "the body must be application/json"
            self.assert_refused(400, message, lambda: Client().post("/task/list", b"{}", content_type))

    def test_no_token_and_bad_ones(self):
        for token in (None, "", "bad", "bad " * 1_000, "é"):
            for path in ("/task/list", "/task/show", "/task/dismiss_all"):
                client = Client(token=token)
                self.assert_refused(401, "valid credentials are needed", lambda: client.call(path, task_id=1))

    def test_a_user_without_the_right(self):
        viewer = Client(APPLICATION_URL, VIEWER_TOKEN)
        self.assertEqual(viewer.list(), [])
        for path in ("/task/dismiss", "/task/restore", "/task/dismiss_all"):
            self.assert_refused(403, "the user has no right to do this", lambda: viewer.call(path, task_id=1))

    def test_unknown_paths_and_other_methods(self):
        for path in ("/task", "/task/", "/task/lists", "/task/list/", "/task/%ff"):
            self.assert_refused(404, "there is nothing at this path", lambda: Client().call(path))
        for method in ("GET", "PUT", "DELETE", "OPTIONS"):
            status, _, body = ask(method, "/task/list")
            expected = {"error": {"message": f"method {method} is not allowed"}, "successful": False}
            self.assertEqual((status, json.loads(body)), (405, expected))


class Changes(unittest.TestCase):
    """Each leaves the store as it found it, but for `updated`."""

    def find(self, title):
        (task,) = [task for task in TASKS if task["title"] == title]
        return task["task_id"]

    def test_dismissing_and_restoring(self):
        client = Client()
        for title, state in [("Finished", "End"), ("Failed", "Failed")]:
            task_id = self.find(title)
            before = client.task("/task/show", task_id=task_id)
            dismissed = client.task("/task/dismiss", task_id=task_id)
            self.assertEqual((dismissed["state"], dismissed["hidden_by"]), ("Dismissed", "ann"))
            self.assertNotIn(task_id, [task["task_id"] for task in client.list()])
            self.assertIn(dismissed, client.list(show_hidden=True))
            restored = client.task("/task/restore", task_id=task_id)
            self.assertEqual(restored["state"], state)
            self.assertGreater(restored["updated"], before["updated"])
            self.assertEqual({**restored, "updated": before["updated"]}, before)

    def test_what_is_in_progress_is_not_dismissed(self):
        task_id = self.find("In progress, since a whole second")
        with self.assertRaises(Refused) as raised:
            Client().call("/task/dismiss", task_id=task_id)
        self.assertEqual(raised.exception.status, 400)
        self.assertEqual(Client().task("/task/show", task_id=task_id)["state"], "In Progress")

    def test_all_of_a_configuration_are_dismissed(self):
        configuration = STORED["configuration"]
        client = Client()
        (dismissed,) = [task for task in client.list(configuration_id=configuration, show_hidden=True) if task["finished"]]
        client.task("/task/restore", task_id=dismissed["task_id"])
        self.assertEqual(client.call("/task/dismiss_all", configuration_id=configuration), {"dismissed": 1})
        self.assertEqual(client.call("/task/dismiss_all", configuration_id=configuration), {"dismissed": 0})

    def test_many_clients_at_once(self):
        before = Client().list(show_hidden=True)
        with ThreadPoolExecutor(8) as threads:
            lists = list(threads.map(lambda _: Client().list(show_hidden=True), range(24)))
        for tasks in lists:
            self.assertEqual(tasks, before)


def load_tests(loader, _tests, _pattern):
    """In this order, since the last ones change what the others compare with."""
    cases = (Lists, Refusals, Changes)
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)


if __name__ == "__main__":
    unittest.main()
