"""The published Python client of the system-task API, unmodified, against awkward rows.

What the client has made of each answer is compared with what was recorded.
"""

import json
import time
import unittest
import urllib.parse
import uuid
from datetime import datetime

import authentik_client
from authentik_client.exceptions import (
    BadRequestException,
    ForbiddenException,
    NotFoundException,
    ServiceException,
)
from authentik_client.models.log_level_enum import LogLevelEnum
from authentik_client.models.system_task_status_enum import SystemTaskStatusEnum
from pydantic import ValidationError

from world import APPLICATION_URL, BASE_URL, EXPECTED, TOKEN, VIEWER_TOKEN, ask

PATH = "/api/v3/events/system_tasks/"
ROWS = EXPECTED["system_tasks"]
PATIENCE_SECONDS = 60


def client(base_url=BASE_URL, token=TOKEN):
    configuration = authentik_client.Configuration(host=base_url + "/api/v3", access_token=token)
    return authentik_client.EventsApi(authentik_client.ApiClient(configuration))


def key(row):
    """Where a row stands in the default order: by bytes, and those without a uid last."""
    return row["name"].encode(), row["uid"] is None, (row["uid"] or "").encode()


ROWS.sort(key=key)


def instant(text):
    return None if text is None else datetime.fromisoformat(text)


def recorded(row):
    """What the client should make of a row."""
    times = {name: instant(row[name]) for name in ("start_timestamp", "finish_timestamp", "expires")}
    messages = [
        {**message, "timestamp": instant(message["timestamp"]), "log_level": LogLevelEnum(message["log_level"])}
        for message in row["messages"]
    ]
    status = SystemTaskStatusEnum(row["status"])
    return {**row, **times, "uuid": uuid.UUID(row["uuid"]), "status": status, "messages": messages}


def named(name, uid=None):
    (row,) = [row for row in ROWS if (row["name"], row["uid"]) == (name, uid)]
    return row


def raw(query):
    """Status and JSON of a list that the client would not ask for."""
    status, headers, body = ask("GET", PATH + "?" + query)
    assert headers["Content-Type"] == "application/json", (query, headers["Content-Type"])
    return status, json.loads(body)


class Rows(unittest.TestCase):
    maxDiff = 2_000

    def assert_rows(self, parsed, rows):
        """The client has made of the rows what was recorded, in this order."""
        self.assertEqual([task.full_name for task in parsed], [row["full_name"] for row in rows])
        for task, row in zip(parsed, rows, strict=True):
            self.assertEqual(task.model_dump(), recorded(row), row["full_name"][:99])

    def assert_found(self, rows, **parameters):
        """A list with these parameters has these rows, and there are some."""
        found = client().events_system_tasks_list(page_size=1_000, **parameters)
        self.assertTrue(rows, parameters)
        self.assert_rows(found.results, rows)
        self.assertEqual(found.pagination.count, len(rows), parameters)


class Lists(Rows):
    def test_all_rows_are_parsed_as_they_were_recorded(self):
        self.assert_found(ROWS)

    def test_the_answer_is_the_recorded_one_to_the_member_and_its_order(self):
        status, answer = raw("page_size=1000")
        self.assertEqual((status, list(answer)), (200, ["pagination", "results"]))
        for got, row in zip(answer["results"], ROWS, strict=True):
            # The text, since dictionaries do not compare the order of their members.
            self.assertEqual(json.dumps(got), json.dumps(row), row["full_name"][:99])

    def test_each_row_is_retrieved_as_it_was_recorded(self):
        api = client()
        self.assert_rows([api.events_system_tasks_retrieve(row["uuid"]) for row in ROWS], ROWS)

    def test_the_rows_are_as_awkward_as_meant(self):
        """Else the others would show little."""
        levels = {message["log_level"] for row in ROWS for message in row["messages"]}
        self.assertEqual(levels, {level.value for level in LogLevelEnum})
        self.assertEqual({row["status"] for row in ROWS}, {status.value for status in SystemTaskStatusEnum})
        self.assertEqual(max(len(row["messages"]) for row in ROWS), 10_000)
        self.assertIsNone(named("uids")["uid"])
        self.assertEqual(named("uids", "")["full_name"], "uids")
        self.assertEqual(named("uids", "source:users:7")["full_name"], "uids:source:users:7")
        self.assertEqual((named("registered")["status"], named("registered")["expires"]), ("unknown", None))
        self.assertEqual(named("whole_seconds")["start_timestamp"], "2026-11-21T12:00:00Z")
        self.assertIn("", [row["description"] for row in ROWS])
        self.assertLess(instant(named("expired_long_ago")["expires"]), instant("2002-01-01T00:00:00Z"))

    def test_pages_are_followed_to_the_end(self):
        for page_size in (1, 7, 100, len(ROWS), 1_000):
            with self.subTest(page_size=page_size):
                self.follow(page_size)

    def follow(self, page_size):
        api, page, seen = client(), 1, []
        while page != 0:
            answer = api.events_system_tasks_list(page=page, page_size=page_size)
            expected = ROWS[(page - 1) * page_size : page * page_size]
            self.assertEqual([str(task.uuid) for task in answer.results], [row["uuid"] for row in expected])
            pages, before = -(-len(ROWS) // page_size), len(seen)
            seen.extend(task.full_name for task in answer.results)
            pagination = answer.pagination.model_dump()
            self.assertEqual(
                pagination,
                {
                    "next": page + 1 if page < pages else 0,
                    "previous": page - 1,
                    "count": len(ROWS),
                    "current": page,
                    "total_pages": pages,
                    "start_index": before + 1,
                    "end_index": len(seen),
                },
            )
            page = pagination["next"]
        self.assertEqual(seen, [row["full_name"] for row in ROWS])

    def test_a_page_has_a_hundred_rows_unless_told_otherwise(self):
        answer = client().events_system_tasks_list()
        self.assertEqual((len(answer.results), answer.pagination.next), (100, 2))
        for page_size in (0, -1):
            self.assertEqual(len(client().events_system_tasks_list(page_size=page_size).results), 100)

    def test_a_page_may_be_larger_than_any_number(self):
        for page_size in (2**31, 2**63, 2**64, 10**30):
            self.assertEqual(len(client().events_system_tasks_list(page_size=page_size).results), len(ROWS))

    def test_a_page_that_there_is_not_is_not_found(self):
        for page in (0, -1, 999, 2**63, 10**30):
            with self.assertRaises(NotFoundException) as raised:
                client().events_system_tasks_list(page=page)
            self.assertEqual(json.loads(raised.exception.body), {"detail": "Invalid page."})

    def test_nothing_found_is_an_empty_page(self):
        answer = client().events_system_tasks_list(name="no such name")
        self.assertEqual(answer.results, [])
        self.assertEqual(list(answer.pagination.model_dump().values()), [0, 0, 0, 1, 1, 0, 0])


class Filters(Rows):
    def test_by_each_name_there_is(self):
        for name in sorted({row["name"] for row in ROWS if row["name"].strip()}):
            # Blanks around are no part of what is looked for, so a name that has some is not found.
            if name == name.strip():
                self.assert_found([row for row in ROWS if row["name"] == name], name=name)
                self.assert_found([row for row in ROWS if row["name"] == name], name=f" {name}\n")

    def test_by_each_uid_there_is(self):
        for uid in sorted({row["uid"] for row in ROWS if row["uid"] and row["uid"] == row["uid"].strip()}):
            self.assert_found([row for row in ROWS if row["uid"] == uid], uid=uid)

    def test_by_name_and_uid(self):
        self.assert_found([named("uids", "::a::")], name="uids", uid="::a::")

    def test_by_each_status(self):
        for status in ("unknown", "successful", "warning", "error"):
            self.assert_found([row for row in ROWS if row["status"] == status], status=status)

    def test_a_blank_filter_is_none(self):
        self.assert_found(ROWS, name="", uid="", search="")
        self.assert_found(ROWS, name=" \t", uid="  ", search=" , ")

    def test_search_finds_what_has_all_words_in_any_field(self):
        for search, words in [
            ("FETCH_MAIL USER-12", ["fetch_mail", "user-12"]),
            ("user-12,fetch_mail", ["fetch_mail", "user-12"]),
            ('"Fetches the mail" uids', ["fetches the mail", "uids"]),
            ('"two words"', ["two words"]),
            ("'two words'", ["two words"]),
            ("ærøskøbing", ["ærøskøbing"]),
            ("日本語 🦀", ["日本語", "🦀"]),
            ("100%", ["100%"]),
            ("d_ warn", ["d_", "warn"]),
            ("a&b=c+d%20e#f?g;h", ["a&b=c+d%20e#f?g;h"]),
        ]:
            def has(row):
                fields = [row["name"], row["description"], row["uid"] or "", row["status"]]
                return all(any(word in field.lower() for field in fields) for word in words)
            self.assert_found([row for row in ROWS if has(row)], search=search)

    def test_a_phrase_is_not_its_words(self):
        self.assertEqual(client().events_system_tasks_list(search='"mail the fetches"').results, [])
        self.assertTrue(client().events_system_tasks_list(search="mail the fetches").results)

    def test_in_every_order(self):
        """Ties go by the uuid."""
        def text(name):
            return lambda row: row[name].encode()
        orders = {
            "uuid": text("uuid"),
            "name": text("name"),
            "description": text("description"),
            "status": text("status"),
            "start_timestamp": lambda row: instant(row["start_timestamp"]),
            "finish_timestamp": lambda row: instant(row["finish_timestamp"]),
            "duration": lambda row: row["duration"],
            "expiring": lambda row: row["expiring"],
            # No value is the greatest.
            "uid": lambda row: (row["uid"] is None, (row["uid"] or "").encode()),
            "expires": lambda row: (row["expires"] is None, row["expires"] and instant(row["expires"])),
        }
        for field, order in orders.items():
            for descending in (False, True):
                with self.subTest(field=field, descending=descending):
                    found = client().events_system_tasks_list(ordering="-" * descending + field, page_size=1_000)
                    by_uuid = sorted(ROWS, key=text("uuid"))
                    expected = [order(row) for row in sorted(by_uuid, key=order, reverse=descending)]
                    stored = {row["uuid"]: row for row in ROWS}
                    got = [order(stored[str(task.uuid)]) for task in found.results]
                    self.assertEqual(got, expected)

    def test_in_an_order_of_several_fields(self):
        expected = sorted(sorted(ROWS, key=lambda row: row["uuid"]), key=lambda row: row["name"].encode(), reverse=True)
        expected.sort(key=lambda row: row["status"])
        self.assert_found(expected, ordering="status,-name,uuid")


class Refusals(unittest.TestCase):
    def assert_refused(self, status, exception, detail, call):
        with self.assertRaises(exception) as raised:
            call()
        self.assertEqual(raised.exception.status, status)
        self.assertEqual(json.loads(raised.exception.body), {"detail": detail})
        return raised.exception

    def test_an_unknown_uuid(self):
        unknown = str(uuid.uuid4())
        for call in (client().events_system_tasks_retrieve, client().events_system_tasks_run_create):
            detail = "No SystemTask matches the given query."
            self.assert_refused(404, NotFoundException, detail, lambda: call(unknown))

    def test_what_is_no_uuid(self):
        """The client refuses it, and so does the server."""
        with self.assertRaises(ValidationError):
            client().events_system_tasks_retrieve("no-uuid")
        for text in ("no-uuid", "%00", "%ff", "..%2f", "🦀"):
            status, _, body = ask("GET", PATH + urllib.parse.quote(text, safe="%") + "/")
            self.assertEqual((status, json.loads(body)), (404, {"detail": "Not found."}), text)

    def test_no_token_and_bad_ones(self):
        for token, detail in [(None, "Authentication credentials were not provided."), ("bad", "Token invalid/expired")]:
            api = client(token=token)
            row = ROWS[0]["uuid"]
            for call in (
                api.events_system_tasks_list,
                lambda: api.events_system_tasks_retrieve(row),
                lambda: api.events_system_tasks_run_create(row),
            ):
                refused = self.assert_refused(403, ForbiddenException, detail, call)
                self.assertEqual(refused.data.detail, detail)

    def test_a_user_without_the_right(self):
        api, row = client(APPLICATION_URL, VIEWER_TOKEN), None
        row = api.events_system_tasks_list(name="count").results[0]
        detail = "You do not have permission to perform this action."
        self.assert_refused(403, ForbiddenException, detail, lambda: api.events_system_tasks_run_create(row.uuid))

    def test_a_status_that_there_is_not(self):
        with self.assertRaises(BadRequestException) as raised:
            client().events_system_tasks_list(status="bogus")
        problem = ["Select a valid choice. bogus is not one of the available choices."]
        self.assertEqual(json.loads(raised.exception.body), {"status": problem})
        self.assertEqual(raised.exception.data.additional_properties, {"status": problem})

    def test_odd_queries_are_answered_with_json(self):
        for query, expected in [
            ("page=last", 200),
            ("page=%2B1", 200),
            ("page=01&page_size=abc", 200),
            ("page=", 404),
            ("page=1.0", 404),
            ("page=1&page=999", 404),
            ("page_size=-5&page_size=5", 200),
            ("name__icontains=x&status__in=error&;&&=&=x&%00", 200),
            ("name=%00", 400),
            ("uid=a%00b", 400),
            ("search=%00", 400),
            ("name=%ff%fe", 200),
            ("name=%zz%", 200),
            ("status=error,warning", 400),
            ("status=ERROR", 400),
            ("ordering=" + ",".join(["-messages", "full_name", "pk", ";DROP+TABLE+task", "", "-"] * 50), 200),
            ("ordering=" + "name,-name," * 400, 200),
            ("search=" + "%22" * 3_000, 200),
            ("search=" + "a+" * 3_000, 200),
            ("search=" + "%25_%5C" * 1_000, 200),
            ("name=" + "n" * 6_000, 200),
            ("page=" + "9" * 6_000, 404),
            ("page_size=" + "9" * 6_000, 200),
            ("&".join(f"p{number}=1" for number in range(1_000)), 200),
        ]:
            self.assertEqual(raw(query)[0], expected, query[:60])


class Runs(unittest.TestCase):
    def test_a_run_is_accepted_and_appears(self):
        api = client(APPLICATION_URL, TOKEN)
        (before,) = api.events_system_tasks_list(name="count").results
        self.assertEqual((before.status, before.expiring), (SystemTaskStatusEnum.UNKNOWN, False))
        answer = api.events_system_tasks_run_create_with_http_info(before.uuid)
        self.assertEqual((answer.status_code, answer.raw_data), (204, b""))
        until = time.monotonic() + PATIENCE_SECONDS
        while (after := api.events_system_tasks_retrieve(before.uuid)).status == SystemTaskStatusEnum.UNKNOWN:
            self.assertLess(time.monotonic(), until, "the run does not appear")
        self.assertEqual((after.uuid, after.status), (before.uuid, SystemTaskStatusEnum.WARNING))
        self.assertEqual([message.event for message in after.messages], ["1", "2", "3", "there are more numbers"])
        self.assertEqual(after.messages[0].attributes, {"asked_by": "ann"})
        self.assertTrue(after.expiring)

    def test_what_nothing_is_registered_for_is_500_with_an_empty_body(self):
        of_application = client(APPLICATION_URL, TOKEN)
        (row,) = of_application.events_system_tasks_list(name="nobody's").results
        for api, row in [(of_application, row.uuid), (client(), ROWS[0]["uuid"])]:
            with self.assertRaises(ServiceException) as raised:
                api.events_system_tasks_run_create(row)
            self.assertEqual((raised.exception.status, raised.exception.body), (500, ""))
            self.assertNotIn("content-type", {name.lower() for name in raised.exception.headers})
            # It is not deleted by that.
            api.events_system_tasks_retrieve(row)


if __name__ == "__main__":
    unittest.main()
