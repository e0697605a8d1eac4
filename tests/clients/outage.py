"""The published Python client of the system-task API, unmodified, at one stage of an outage: `examples/harness.rs` runs it, and
says what it must see.
"""

import json
import os

import authentik_client
from authentik_client.exceptions import ServiceException


def main():
    configuration = authentik_client.Configuration(host=os.environ["BASE_URL"] + "/api/v3")
    client = authentik_client.EventsApi(authentik_client.ApiClient(configuration))
    expected = json.loads(os.environ["EXPECTED"])
    try:
        page = client.events_system_tasks_list(page_size=1000)
    except ServiceException as error:
        assert expected is None and error.status == 500, f"{error.status}: {error.body}"
        return
    assert expected is not None, "the server has answered"
    seen = [
        (str(row.uuid), row.name, row.uid, row.status.value, [(entry.log_level.value, entry.event) for entry in row.messages])
        for row in page.results
    ]
    recorded = [
        (
            row["uuid"],
            row["name"],
            row["uid"],
            row["status"],
            [(entry["log_level"], entry["event"]) for entry in row["messages"]],
        )
        for row in expected["results"]
    ]
    assert seen and seen == recorded, f"{seen}\nis not\n{recorded}"


main()
