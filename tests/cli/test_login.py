"""PostgreSQL accounts: what is refused is told in the server's words, and no password is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from attrs import frozen
from sqlalchemy import make_url

from crmkit.settings import load_settings
from crmkit.testing.postgresql import fresh_database

from .conftest import Crmkit

SECRET = "s3cret-Wörd@1"


@frozen
class Server:
    """A server on which the account ``locked`` needs a password and ``reader`` may only read."""

    admin: str
    host: str
    database: str

    def url(
        self, account: str = "locked", password: str | None = SECRET, database: str = ""
    ) -> str:
        url = make_url(f"postgresql+psycopg://{self.host}/{database or self.database}")
        return url.set(username=account, password=password).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def server(postgresql_server: str) -> Iterator[Server]:
    with fresh_database(postgresql_server) as url:
        admin = url.replace("+psycopg", "")
        parsed = make_url(admin)
        with psycopg.connect(admin, autocommit=True) as connection:
            (file,) = connection.execute("SHOW hba_file").fetchone()
            hba = Path(file)
            before = hba.read_text()
            for account in ("locked", "reader"):
                connection.execute(f"CREATE ROLE {account} LOGIN PASSWORD '{SECRET}'")
            connection.execute(f'GRANT CREATE ON DATABASE "{parsed.database}" TO locked')
            connection.execute("GRANT ALL ON SCHEMA public TO locked")
            hba.write_text(f"host all locked,reader all scram-sha-256\n{before}")
            connection.execute("SELECT pg_reload_conf()")
        yield Server(admin, f"{parsed.host}:{parsed.port}", str(parsed.database))
        with psycopg.connect(admin, autocommit=True) as connection:
            hba.write_text(before)
            connection.execute("SELECT pg_reload_conf()")
            for account in ("locked", "reader"):
                connection.execute(f"DROP OWNED BY {account} CASCADE")
                connection.execute(f"DROP ROLE {account}")


@pytest.fixture(autouse=True)
def no_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of whoever runs the tests."""
    for name in ("CRMKIT_DATABASE_PASSWORD", "PGPASSWORD", "PGPASSFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def bank(crmkit: Crmkit, server: Server, tmp_path: Path) -> Path:
    """A workspace made with a URL that holds the password."""
    folder = tmp_path / "bank"
    done = crmkit("init", folder, "--database", server.url())
    assert SECRET not in done.out + done.err
    assert "CRMKIT_DATABASE_PASSWORD" in done.err
    assert ".pgpass" in done.err
    return folder


def test_a_password_given_to_init_is_in_no_file(crmkit: Crmkit, bank: Path) -> None:
    for path in bank.rglob("*"):
        if path.is_file():
            assert b"s3cret" not in path.read_bytes(), path
    assert load_settings(bank).database.startswith("postgresql+psycopg://locked@")
    done = crmkit("-w", bank, "customer", "list", code=5)
    assert "no password supplied" in done.err
    assert "database_password_file" in done.err


def test_the_password_comes_from_the_environment_a_file_or_pgpass(
    crmkit: Crmkit, bank: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("CRMKIT_DATABASE_PASSWORD", SECRET)
        crmkit("-w", bank, "customer", "list")
        crmkit("-w", bank, "snapshot")
    toml = bank / "crmkit.toml"
    before = toml.read_text()
    (bank / "secret").write_text(f"{SECRET}\n")
    (bank / "secret").chmod(0o600)
    toml.write_text(f'database_password_file = "secret"\n{before}')
    crmkit("-w", bank, "customer", "list")
    assert SECRET not in crmkit("-w", bank, "doctor").out
    (bank / "secret").unlink()
    assert "secret cannot be read" in crmkit("-w", bank, "customer", "list", code=5).err
    toml.write_text(before)
    passes = tmp_path / "passes"
    passes.write_text(f"*:*:*:locked:{SECRET}\n")
    passes.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passes))
    crmkit("-w", bank, "customer", "list")


def test_a_wrong_password_is_told_in_the_servers_words(
    crmkit: Crmkit, bank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMKIT_DATABASE_PASSWORD", "wrong-s3cret")
    for args in (("customer", "list"), ("doctor",), ("db", "status"), ("import", "x.csv", "--profile", "y")):  # fmt: skip
        done = crmkit("-w", bank, *args, code=5)
        said = done.out + done.err
        assert "password authentication failed" in said
        assert "cannot be reached" not in said
        assert "s3cret" not in said


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ({"database": "nowhere"}, 5, 'database "nowhere" does not exist'),
        ({"account": "nobody", "password": None}, 5, 'role "nobody" does not exist'),
        ({"password": "wrong-s3cret"}, 5, "password authentication failed"),
    ],
)
def test_what_the_server_refuses_is_a_fault_of_the_settings(
    crmkit: Crmkit, server: Server, tmp_path: Path, url: dict[str, str], code: int, words: str
) -> None:
    done = crmkit("init", tmp_path / "new", "--database", server.url(**url), code=code)
    assert words in done.err
    assert "s3cret" not in done.err
    assert not (tmp_path / "new").exists()


def test_a_server_that_does_not_answer_is_no_fault_of_the_settings(
    crmkit: Crmkit, tmp_path: Path
) -> None:
    url = f"postgresql+psycopg://locked:{SECRET.replace('@', '%40')}@127.0.0.1:1/crm"
    done = crmkit("init", tmp_path / "new", "--database", url, code=8)
    assert "cannot be reached" in done.err
    assert "Connection refused" in done.err
    assert "s3cret" not in done.err


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_is_not_utf_8_is_refused(
    crmkit: Crmkit, server: Server, tmp_path: Path, encoding: str
) -> None:
    """LATIN1 has no Chinese; SQL_ASCII takes any bytes and checks nothing."""
    name = f"crmkit_{encoding.lower()}"
    with psycopg.connect(server.admin, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        )
        try:
            url = server.url("crmkit", None, name)
            done = crmkit("init", tmp_path / "new", "--database", url, code=5)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert f"the database {name} is encoded in {encoding}, and crmkit needs UTF8" in done.err
    assert not (tmp_path / "new").exists()


def test_doctor_sees_an_account_that_cannot_write(
    crmkit: Crmkit, bank: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMKIT_DATABASE_PASSWORD", SECRET)

    def account() -> tuple[str, str]:
        done = crmkit("-w", bank, "doctor", "--format", "json", code=code)
        (row,) = (row for row in done.rows if row["check"] == "account")
        return row["status"], row["detail"]

    code = 0
    assert account() == ("ok", "may read and write")
    with psycopg.connect(server.admin, autocommit=True) as connection:
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    toml = bank / "crmkit.toml"
    toml.write_text(toml.read_text().replace("//locked@", "//reader@"))
    code = 5
    status, detail = account()
    assert status == "fault"
    assert "the account may not INSERT in agent_change" in detail
    with psycopg.connect(server.admin, autocommit=True) as connection:
        connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO reader")
        connection.execute("ALTER ROLE reader SET default_transaction_read_only = on")
    assert "default_transaction_read_only is on" in account()[1]


def test_doctor_has_amcheck_look_where_it_is_installed(
    crmkit: Crmkit, bank: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMKIT_DATABASE_PASSWORD", SECRET)

    def pages(*options: str) -> tuple[str, str]:
        done = crmkit("-w", bank, "doctor", "--format", "json", *options)
        (row,) = (row for row in done.rows if row["check"] == "pages")
        return row["status"], row["detail"]

    assert "amcheck is not installed" in pages()[1]
    with psycopg.connect(server.admin, autocommit=True) as connection:
        try:
            connection.execute("CREATE EXTENSION amcheck")
        except psycopg.errors.FeatureNotSupported:
            pytest.skip("this server comes without amcheck")
        assert pages()[0] == "warning"  # the account may not run it
        for function in ("verify_heapam", "bt_index_check(regclass)", "bt_index_check(regclass, boolean)"):  # fmt: skip
            connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO locked")
        assert pages() == ("ok", "amcheck")
        assert pages("--deep") == ("ok", "amcheck, with all indexed rows")


def test_a_password_in_an_older_settings_file_still_works_and_is_warned_of(
    crmkit: Crmkit, bank: Path
) -> None:
    toml = bank / "crmkit.toml"
    toml.write_text(toml.read_text().replace("//locked@", "//locked:s3cret-W%C3%B6rd%401@"))
    done = crmkit("-w", bank, "doctor", "--format", "json")
    assert "s3cret" not in done.out + done.err
    (row,) = (row for row in done.rows if row["check"] == "password")
    assert (row["status"], "CRMKIT_DATABASE_PASSWORD" in row["hint"]) == ("warning", True)
    assert "s3cret" not in repr(load_settings(bank))


@pytest.mark.parametrize("url", ["postgresql:/crm:s3cret@db", "postgresql+psycopg://crm:s3cret@db:x/crm", "mysql://crm:s3cret@db/crm"])  # fmt: skip
def test_a_url_that_cannot_be_used_is_not_repeated(
    crmkit: Crmkit, tmp_path: Path, url: str
) -> None:
    done = crmkit("init", tmp_path / "new", "--database", url, code=5)
    assert "s3cret" not in done.err
    assert not (tmp_path / "new").exists()


def test_a_password_among_the_options_of_a_url_is_taken_out_too(
    crmkit: Crmkit, server: Server, tmp_path: Path
) -> None:
    url = server.url("locked", None) + "?password=s3cret-W%C3%B6rd%401&application_name=crm"
    crmkit("init", tmp_path / "bank", "--database", url)
    assert "s3cret" not in (tmp_path / "bank/crmkit.toml").read_text()
    assert load_settings(tmp_path / "bank").database.endswith("?application_name=crm")
