"""The database fixtures give what they promise."""

import sqlalchemy as sa


def test_the_database_is_empty_and_can_be_written(database_url):
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        assert sa.inspect(connection).get_table_names() == []
        connection.execute(sa.text("create table t (a integer)"))
        connection.execute(sa.text("insert into t values (1)"))
    engine.dispose()


def test_each_test_has_a_database_of_its_own(database_url):
    engine = sa.create_engine(database_url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_database_with_an_open_session_is_dropped_all_the_same(postgresql_server):
    from crmkit.testing.postgresql import fresh_database

    with fresh_database(postgresql_server) as url:
        engine = sa.create_engine(url)
        left_open = engine.connect()
        left_open.execute(sa.text("select 1"))
    admin = sa.create_engine(postgresql_server)
    name = url.rpartition("/")[2]
    with admin.connect() as connection:
        found = connection.execute(
            sa.text("select count(*) from pg_database where datname = :name"), {"name": name}
        ).scalar_one()
    assert found == 0
    left_open.invalidate()
    engine.dispose()
    admin.dispose()
