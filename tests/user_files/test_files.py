"""Files of users: read as a stream, each damaged row for itself, nothing passed over in silence."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from watchword.crypto.foreign_hashes import FirebaseParameters
from watchword.user_files import (
    BadRow,
    FileFormat,
    ReadOptions,
    Refused,
    Source,
    User,
    UserRow,
    guess_format,
    read_rows,
)
from watchword.user_files.json_stream import array_elements, parse_object

BCRYPT = "$2b$04$" + "a" * 53


def rows(text: str | bytes, file_format: str, **options: Any) -> list[UserRow | Refused]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_rows(Source(io.BytesIO(data)), FileFormat(file_format), ReadOptions(**options)))


def users(text: str | bytes, file_format: str, **options: Any) -> list[User]:
    found = rows(text, file_format, **options)
    assert not [row for row in found if isinstance(row, Refused)]
    return [row.user for row in found if isinstance(row, UserRow)]


def refused(text: str | bytes, file_format: str, **options: Any) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in rows(text, file_format, **options) if isinstance(row, Refused)]


def read_lines(text: str | bytes, file_format: str) -> list[int]:
    return [row.line for row in rows(text, file_format) if isinstance(row, UserRow)]


def test_csv_has_all_that_a_user_has() -> None:
    text = (
        "email,id,password_hash,email_verified,is_active,profile,profile.city\r\n"
        f'a@example.com,0190b1d0-0000-7000-8000-000000000000,{BCRYPT},t,FALSE,"{{""name"": ""Ann, \\u00c9""}}",Oslo\r\n'
        "b@example.com,,,,,,\r\n"
    )
    assert users(text, "csv") == [
        User(
            "a@example.com",
            BCRYPT,
            "0190b1d0-0000-7000-8000-000000000000",
            is_email_verified=True,
            is_active=False,
            profile={"name": "Ann, É", "city": "Oslo"},
        ),
        User("b@example.com", None, None, is_email_verified=False, is_active=True, profile={}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_of_spreadsheets_is_read(delimiter: str, mark: bytes) -> None:
    text = delimiter.join(["is_active", "email"]) + "\n" + delimiter.join(["no", "a@example.com"])
    (user,) = users(mark + text.encode(), "csv")
    assert (user.email, user.is_active) == ("a@example.com", False)


def test_a_quoted_field_may_have_lines() -> None:
    text = 'email,profile.note\na@example.com,"one\ntwo ""quoted"""\nb@example.com,x\n'
    assert [user.profile["note"] for user in users(text, "csv")] == ['one\ntwo "quoted"', "x"]
    assert read_lines(text, "csv") == [2, 4]


def test_a_damaged_line_of_csv_spoils_only_itself() -> None:
    lines = [
        b"email,profile.note",
        b"a@example.com,fine",
        b'b@example.com,"not closed',
        b"c@example.com,fine",
        b'd@example.com,a"quote',
        b"e@example.com,too,many",
        b"f@example.com",
        b"g@example.com,\xff",
        b"",
        b"h@example.com,fine",
        b"i@example.com," + b"x" * 10_000_000,
        b"j@example.com,fine",
        b'k@example.com,"not closed either',
        b"l@example.com,fine",
    ]
    found = rows(b"\n".join(lines), "csv")
    assert [row.line for row in found if isinstance(row, UserRow)] == [2, 4, 10, 12, 14]
    assert [(row.line, row.reason[:10]) for row in found if isinstance(row, Refused)] == [
        (3, "not CSV: a"),
        (5, "not CSV: a"),
        (6, "3 fields w"),
        (7, "1 fields w"),
        (8, "not UTF-8"),
        (11, "longer tha"),
        (13, "not CSV: a"),
    ]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", "has to name its columns"),
        (f"a@example.com,{BCRYPT}", "has to name its columns"),
        ("email,is_acitve", "column 2 (is_acitve) is not known"),
        (f"email,{BCRYPT}", "column 2 is not known"),
        ("email,profile.", "column 2 (profile.) is not known"),
        ("email,id,email", "column 3 is there twice"),
    ],
)
def test_csv_without_known_columns_is_not_read_at_all(header: str, told: str) -> None:
    with pytest.raises(BadRow) as problem:
        rows(f"{header}\na@example.com,x\n", "csv")
    assert told in str(problem.value)
    assert BCRYPT not in str(problem.value)


def test_json_lines_have_all_that_a_user_has() -> None:
    record = {
        "email": "a@example.com",
        "password_hash": BCRYPT,
        "id": "0190b1d0-0000-7000-8000-000000000000",
        "email_verified": True,
        "is_active": False,
        "profile": {"city": "Oslo"},
    }
    expected = User("a@example.com", BCRYPT, record["id"], True, False, {"city": "Oslo"})  # type: ignore[arg-type]
    assert users(json.dumps(record), "jsonl") == [expected]
    assert users(json.dumps([record, record], indent=2), "jsonl") == [expected, expected]
    assert users('{"email": "a@example.com"}\r\n\r\n', "jsonl")[0].is_active is True


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('"text"', "not a JSON object"),
        ("[" * 100_000, "not JSON"),
        ('{"email": 1' + "0" * 5000 + "}", "not JSON"),
        (b'{"email": "\xff"}', "not UTF-8"),
        (b'{"email": "' + b"x" * 10_000_000 + b'"}', "longer than 1 MiB"),
        ("{}", "no email"),
        ('{"email": ""}', "no email"),
        ('{"email": null}', "no email"),
        ('{"email": 1}', "email: not text"),
        ('{"email": "b@example.com", "is_active": "no"}', "is_active: neither true nor false"),
        ('{"email": "b@example.com", "email_verified": 1}', "email_verified: neither true nor false"),
        ('{"email": "b@example.com", "profile": []}', "profile: not a JSON object"),
        ('{"email": "b@example.com", "password_hash": {}}', "password_hash: not text"),
        ('{"email": "b@example.com", "is_acitve": false}', "a field that is not known: is_acitve"),
        ('{"email": "b@example.com", "$2b$04$secret": false}', "a field that is not known"),
    ],
)
def test_a_damaged_line_of_json_spoils_only_itself(line: str | bytes, reason: str) -> None:
    data = line.encode() if isinstance(line, str) else line
    good = b'{"email": "a@example.com"}'
    if data.startswith(b"["):  # first in a file, it would be an array
        text = b"\n".join([good, data, good])
        assert refused(text, "jsonl") == [(2, reason)]
        assert read_lines(text, "jsonl") == [1, 3]
    else:
        text = b"\n".join([data, good])
        assert refused(text, "jsonl") == [(1, reason)]
        assert read_lines(text, "jsonl") == [2]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a@example.com,maybe,", "is_active: neither true nor false"),
        ("a@example.com,,[]", "profile: not a JSON object"),
        ("a@example.com,,{", "profile: not a JSON object"),
        (",,", "no email"),
    ],
)
def test_a_cell_that_is_wrong_is_named(row: str, reason: str) -> None:
    assert refused(f"email,is_active,profile\n{row}\n", "csv") == [(2, reason)]


def test_a_password_that_django_made_unusable_is_none() -> None:
    assert users("email,password_hash\na@example.com,!kq8tEuTx1\n", "csv")[0].password_hash is None


# Keycloak, Auth0, Firebase


def credential(**changes: Any) -> dict[str, Any]:
    data = {"hashIterations": 1000, "algorithm": "pbkdf2-sha256", "additionalParameters": {}}
    secret = {"value": "v" * 43 + "=", "salt": "c2FsdHNhbHQ=", "additionalParameters": {}}
    return {
        "id": "1",
        "type": "password",
        "createdDate": 1,
        "secretData": json.dumps(secret),
        "credentialData": json.dumps(data),
        **changes,
    }


REALM = {
    "id": "r",
    "realm": "users",
    "roles": {"realm": [{"name": "users"}], "users": [{"email": "no@example.com"}]},
    "groups": ["users", {"a": [1]}],
    "users": [
        {
            "id": "6d1d2b5e-3c3a-4b0e-9a8e-0d6f2f6a2b11",
            "username": "ann",
            "email": "ann@example.com",
            "emailVerified": True,
            "enabled": False,
            "firstName": 'A "quoted\\" {[ name',
            "attributes": {"city": ["Oslo"], "tags": ["a", "b"]},
            "credentials": [{"type": "otp"}, credential()],
        },
        {"username": "bob", "email": "bob@example.com", "credentials": []},
        {"username": "service", "serviceAccountClientId": "x"},
        {"username": "eve", "email": "eve@example.com", "credentials": [credential(credentialData="{")]},
        {"username": "eve", "email": "eve@example.com", "credentials": [credential(secretData=None)]},
    ],
    "clients": [{"clientId": "c"}],
}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_realm_of_keycloak_is_read(indent: int | None) -> None:
    fields = {"name": "firstName", "city": "attributes.city", "tags": "attributes.tags", "none": "no.such"}
    found = rows(json.dumps(REALM, indent=indent), "keycloak", profile_fields=fields)
    ann, bob, service, eve, again = found
    assert isinstance(ann, UserRow)
    assert isinstance(bob, UserRow)
    assert isinstance(service, Refused)
    assert isinstance(eve, Refused)
    assert ann.user.id == "6d1d2b5e-3c3a-4b0e-9a8e-0d6f2f6a2b11"
    assert ann.user.password_hash == f"$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHQ${'v' * 42}s"
    assert (ann.user.is_email_verified, ann.user.is_active) == (True, False)
    assert ann.user.profile == {"name": 'A "quoted\\" {[ name', "city": "Oslo", "tags": ["a", "b"]}
    assert (bob.user.password_hash, bob.user.is_active, bob.user.profile) == (None, True, {})
    assert service.reason == "no email"
    assert (eve.email, eve.reason) == ("eve@example.com", "a password hash of a kind that cannot be verified here")
    assert (again.line > eve.line) is (indent is not None)


def test_auth0s_export_and_its_import_file_are_read() -> None:
    exported = {
        "_id": {"$oid": "5dea9f9c82dd7c0e76e4ec93"},
        "email_verified": True,
        "email": "a@example.com",
        "passwordHash": BCRYPT,
        "tenant": "t",
    }
    elsewhere = {
        "_id": {"$oid": "2"},
        "passwordHash": BCRYPT,
        "identifiers": [{"type": "phone", "value": "1"}, {"type": "email", "value": "b@example.com", "verified": True}],
    }
    found = users("\n".join(json.dumps(user) for user in (exported, elsewhere)), "auth0")
    assert [(user.email, user.password_hash, user.is_email_verified) for user in found] == [
        ("a@example.com", BCRYPT, True),
        ("b@example.com", BCRYPT, True),
    ]
    custom = {"algorithm": "bcrypt", "hash": {"value": BCRYPT, "encoding": "utf8"}}
    array = [
        {"email": "a@example.com", "blocked": True, "password_hash": BCRYPT},
        {"email": "b@example.com", "custom_password_hash": custom},
        {"email": "c@example.com", "given_name": "Cy"},
    ]
    found = users(json.dumps(array, indent=1), "auth0", profile_fields={"name": "given_name"})
    assert [(user.password_hash, user.is_active, user.profile) for user in found] == [
        (BCRYPT, False, {}),
        (BCRYPT, True, {}),
        (None, True, {"name": "Cy"}),
    ]
    for odd in (
        {"algorithm": "md5", "hash": {"value": "x"}},
        {"algorithm": "bcrypt", "hash": {"value": "x", "encoding": "hex"}},
        {"algorithm": "pbkdf2", "hash": {"value": "x"}, "salt": {"value": "s"}},
    ):
        text = json.dumps({"email": "a@example.com", "custom_password_hash": odd})
        assert refused(text, "auth0") == [(1, "a password hash of a kind that cannot be verified here")]


PARAMETERS = FirebaseParameters(b"k" * 64, b"\x07", 8, 4)


def test_firebases_export_is_read() -> None:
    export = {
        "users": [
            {
                "localId": "1",
                "email": "a@example.com",
                "emailVerified": True,
                "passwordHash": "A" * 86 + "==",
                "salt": "42xEC+ixf3L2lw==",
                "displayName": "Ann",
                "disabled": True,
            },
            {"localId": "2", "email": "b@example.com", "providerUserInfo": [{"providerId": "google.com"}]},
            {"localId": "3", "phoneNumber": "+1"},
            {"localId": "4", "email": "d@example.com", "passwordHash": "AAAA", "salt": "42xEC+ixf3L2lw=="},
        ]
    }
    text = json.dumps(export, indent=2)
    ann, bob, phone, other = rows(text, "firebase", firebase=PARAMETERS, profile_fields={"name": "displayName"})
    assert isinstance(ann, UserRow)
    assert isinstance(bob, UserRow)
    assert ann.user.password_hash is not None
    assert ann.user.password_hash.startswith("$firebase-scrypt$ln=4,r=8,p=1$42xEC+ixf3L2lwc$")
    assert (ann.user.is_active, ann.user.is_email_verified, ann.user.profile) == (False, True, {"name": "Ann"})
    assert (bob.user.password_hash, bob.user.is_active) == (None, True)
    assert [row.reason for row in (phone, other) if isinstance(row, Refused)] == [
        "no email",
        "a password hash that does not go with the project's parameters",
    ]
    with pytest.raises(BadRow, match="parameters"):
        rows(text, "firebase")


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_our_own_formats_name_fields_of_the_profile_themselves(file_format: str) -> None:
    with pytest.raises(BadRow, match="in the file itself"):
        rows("email\n", file_format, profile_fields={"a": "b"})


# Documents larger than memory


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("users"), inner, max_size=3),
    max_leaves=12,
)


@given(
    found=st.lists(st.dictionaries(st.text(), nested, max_size=4), max_size=4),
    before=st.dictionaries(st.text().filter("users".__ne__), nested, max_size=3),
    after=st.dictionaries(st.text().filter("users".__ne__), nested, max_size=3),
    size=st.integers(1, 40),
    indent=st.sampled_from([None, 1]),
    is_ascii=st.booleans(),
)
def test_the_users_of_any_document_are_found_wherever_it_is_cut(
    found: list[Any], before: dict[str, Any], after: dict[str, Any], size: int, indent: int | None, is_ascii: bool
) -> None:
    document = {**before, "users": found, **{name: value for name, value in after.items() if name not in before}}
    data = json.dumps(document, indent=indent, ensure_ascii=is_ascii).encode(errors="replace")
    elements = list(array_elements(pieces(data, size), key="users"))
    assert [element.problem for element in elements] == [None] * len(found)
    assert [parse_object(element.data) for element in elements] == json.loads(data)["users"]
    array = json.dumps(found, indent=indent).encode()
    assert [parse_object(element.data) for element in array_elements(pieces(array, size), key=None)] == found
    if indent:
        lines = data.split(b"\n")
        assert all(lines[element.line - 1].lstrip().startswith(b"{") for element in elements)


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("document", "good", "problems"),
    [
        ('{"users": [{"a": 1},\n{"a": nope},\n{"a": 3}]}', 3, []),  # not JSON: that is for who parses it
        ('{"users": [{"a": 1}},\n{"a": 2}]}', 2, [(1, "not a JSON object")]),
        ('{"users": [{"a": 1},\n7, "x", [{"b": 1}], null,\n{"a": 2}]}', 2, [(2, "not a JSON object")]),
        ('{"users": [{"a": 1}, 7]}', 1, [(1, "not a JSON object")]),
        ('{"users": [{"a": 1},\n{"a": 2', 1, [(2, "an object that does not end: nothing after it was read")]),
        ('{"users": [{"a": 1},\n', 1, [(2, "the file ends in the middle of the list of users")]),
        ('{"clients": [{"a": 1}]}', 0, [(1, "there is no list of users in this file")]),
        ('{"x": {"users": [{"a": 1}]}}', 0, [(1, "there is no list of users in this file")]),
        ("", 0, [(1, "there is no list of users in this file")]),
    ],
)
def test_what_is_no_user_in_a_document_is_told(
    document: str, good: int, problems: list[tuple[int, str]], size: int
) -> None:
    elements = list(array_elements(pieces(document.encode(), size), key="users"))
    assert len([element for element in elements if element.problem is None]) == good
    assert [(element.line, element.problem) for element in elements if element.problem is not None] == problems


def test_an_object_that_is_too_long_is_passed_over_and_the_next_is_read() -> None:
    long = [{"email": "a@example.com"}, {"email": "x" * 3_000_000}, {"email": "b@example.com"}]
    found = rows(json.dumps({"users": long}, indent=0), "keycloak")
    assert [type(row) for row in found] == [UserRow, Refused, UserRow]
    assert [row.reason for row in found if isinstance(row, Refused)] == ["longer than 1 MiB"]


# Which format it is


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("users.csv", "", FileFormat.CSV),
        ("USERS.TSV", "email\n", FileFormat.CSV),
        ("-", "id,email\n1,a@example.com", FileFormat.CSV),
        ("-", "no column\n", None),
        ("-", "", None),
        ("a.json", "[{}]", None),
        ("a.jsonl", '{"email": "a@example.com"}\n{"email"', FileFormat.JSONL),
        ("a.json", '{"_id": {}, "email": "a@example.com", "passwordHash": "x"}\n', FileFormat.AUTH0),
        ("a.json", json.dumps(REALM), FileFormat.KEYCLOAK),
        ("a.json", json.dumps(REALM, indent=2), FileFormat.KEYCLOAK),
        ("a.json", '{"users": [{"localId": "1"}]}', FileFormat.FIREBASE),
        ("a.json", '{"users": [\n{"localId": "1"}\n]}', FileFormat.FIREBASE),
        ("a.json", '{"other": 1}', None),
    ],
)
def test_the_format_is_guessed_by_name_and_content(name: str, head: str, expected: FileFormat | None) -> None:
    assert guess_format(name, Source(io.BytesIO(head.encode())).head) == expected


def test_a_pipe_that_gives_little_at_a_time_is_read_whole() -> None:
    class Trickle(io.BytesIO):
        @override
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 1, 7))

    text = b"email\n" + b"".join(b"u%d@example.com\n" % number for number in range(20_000))
    source = Source(Trickle(text))
    found = list(read_rows(source, FileFormat.CSV, ReadOptions()))
    assert len(found) == 20_000
    assert source.position == len(text)
