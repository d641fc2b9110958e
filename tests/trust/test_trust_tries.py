"""Whatever takes a password or a code is measured as a try of one: a route that is added later, too."""

import pytest

from moodify.web import guard
from moodify.web.app import create_app
from moodify.web.fake import FakeHouse
from signed_in import memory_accounts

SECRET = ("password", "code", "old")


def fields_of(schema, parts):
    """Return the names of all fields in a schema, through its references."""
    if "$ref" in schema:
        return fields_of(parts[schema["$ref"].rpartition("/")[2]], parts)
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *schema.get("allOf", ())]
    return set(schema.get("properties", {})).union(*(fields_of(each, parts) for each in inner), set())


@pytest.fixture(scope="module")
def described():
    return create_app(FakeHouse(), memory_accounts()).openapi()


def test_each_route_that_takes_a_password_or_a_code_is_measured(described):
    parts = described["components"]["schemas"]
    taking = {
        path
        for path, methods in described["paths"].items()
        for route in methods.values()
        if "requestBody" in route and fields_of(route["requestBody"]["content"]["application/json"]["schema"], parts) & set(SECRET)
    }
    assert {"/api/session", "/api/claim", "/api/me/password"} <= taking
    assert taking <= guard._TRIES
    # A path with a part that changes could not be found in a set.
    assert not any("{" in path for path in taking)
