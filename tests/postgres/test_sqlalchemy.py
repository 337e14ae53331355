"""SQLAlchemy finds the dialect by its name, and an application of it runs on the fenced client."""

import datetime as dt
import decimal
import uuid

import pytest
import sqlalchemy
from ringfence.dbapi import postgres
from sqlalchemy import ARRAY, JSON, DateTime, ForeignKey, Integer, LargeBinary, Numeric, String, Uuid, func, inspect, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "sa % customer"  # a name that every layer between must leave alone
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    orders: Mapped[list["Order"]] = relationship(back_populates="customer", order_by="Order.id")


class Order(Base):
    __tablename__ = "sa_order"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey(Customer.id))
    customer: Mapped[Customer] = relationship(back_populates="orders")
    total: Mapped[decimal.Decimal] = mapped_column(Numeric(10, 2))
    placed: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    notes: Mapped[dict] = mapped_column(JSON)
    tags: Mapped[list[str]] = mapped_column(ARRAY(String))
    sizes: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    key: Mapped[uuid.UUID] = mapped_column(Uuid)
    scan: Mapped[bytes] = mapped_column(LargeBinary)


@pytest.fixture
def engine(graph, server):
    engine = sqlalchemy.create_engine("postgresql+ringfence://", creator=lambda: postgres.connect(graph, user=server.user))
    Base.metadata.create_all(engine)
    yield engine
    Base.metadata.drop_all(engine)
    engine.dispose()


def order(number):
    return Order(
        total=decimal.Decimal(number) / 4,
        placed=dt.datetime(2026, 1, number, tzinfo=dt.UTC),
        notes={"gift": True, "lines": [1, None]},
        tags=["a", "it's"],
        sizes=[number, 2],
        key=uuid.UUID(int=number),
        scan=bytes([number]) * 3,
    )


def test_objects_are_kept_and_found_again(engine):
    with Session(engine) as session:
        session.add(Customer(name="Ada", orders=[order(1), order(2)]))
        session.add(Customer(name="50% off", orders=[order(3)]))
        session.commit()
    with Session(engine) as session:
        ada = session.scalars(select(Customer).where(Customer.name == "Ada")).one()
        first = ada.orders[0]
        assert (first.total, first.notes) == (decimal.Decimal("0.25"), {"gift": True, "lines": [1, None]})
        assert (first.tags, first.sizes) == (["a", "it's"], [1, 2])
        assert (first.placed, first.key, first.scan) == (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), uuid.UUID(int=1), b"\1\1\1")
        totals = select(Customer.name, func.sum(Order.total)).join(Order).group_by(Customer.name).order_by(Customer.name)
        assert session.execute(totals).all() == [("50% off", decimal.Decimal("0.75")), ("Ada", decimal.Decimal("0.75"))]
        assert session.scalars(select(Order.id).where(Order.id % 2 == 1).order_by(Order.id)).all() == [1, 3]
        assert session.scalars(select(Customer.name).where(Customer.name.like("50\\%%"))).all() == ["50% off"]


def test_a_broken_constraint_is_sqlalchemys_error_and_the_session_goes_on(engine):
    with Session(engine) as session:
        session.add_all([Customer(name="Ada"), Customer(name="Ada")])
        with pytest.raises(sqlalchemy.exc.IntegrityError) as failed:
            session.commit()
        assert failed.value.orig.sqlstate == "23505"
        session.rollback()
        assert session.scalars(select(Customer)).all() == []


def test_savepoints_and_isolation_levels(engine):
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "serializable"
        with pytest.raises(ZeroDivisionError), connection.begin_nested():
            connection.execute(Customer.__table__.insert(), {"name": "gone"})
            raise ZeroDivisionError
        assert connection.scalar(select(func.count()).select_from(Customer)) == 0
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM"))


def test_rows_are_streamed_through_a_cursor_of_the_servers(engine):
    """As SQLAlchemy is asked to, where a result is larger than memory."""
    with engine.connect().execution_options(stream_results=True, yield_per=100) as connection:
        seen = connection.execute(text("SELECT n FROM generate_series(1, :last) n"), {"last": 1000})
        assert next(seen.scalars()) == 1
        declared = connection.connection.cursor().execute("SELECT count(*) FROM pg_cursors").fetchone()
        assert declared == (1,)
        assert sum(seen.scalars()) == 500_499


def test_tables_are_reflected(engine):
    inspector = inspect(engine)
    assert {"sa % customer", "sa_order"} <= set(inspector.get_table_names())
    kinds = {one["name"]: str(one["type"]) for one in inspector.get_columns("sa_order")}
    assert (kinds["total"], kinds["placed"], kinds["key"]) == ("NUMERIC(10, 2)", "TIMESTAMP", "UUID")
    assert inspector.get_foreign_keys("sa_order")[0]["referred_table"] == "sa % customer"


def test_the_pool_gets_over_a_restart(engine, server):
    """What was connected is thrown away with the first error; what comes after it is connected anew."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    server.restart()
    with pytest.raises(sqlalchemy.exc.OperationalError) as failed, engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert failed.value.connection_invalidated
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
