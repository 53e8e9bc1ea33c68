"""Sessions and sign-ins under way: how long they last, and how many there are."""

from dataclasses import dataclass

from adapters.entra.code_flow import StartedFlow
from proxy.console import entra_access, sessions
from proxy.console.entra_access import MOST_PENDING, PendingSignIns
from proxy.console.sessions import MOST_SESSIONS, Session, SessionStore

FLOW = StartedFlow("https://login.example.com", "state", "nonce", {})


@dataclass
class Clock:
    """A clock that tests set."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_session_lasts_twelve_hours() -> None:
    clock = Clock()
    store = SessionStore(clock)
    cookie = store.begin("olga")
    clock.now += 12 * 3600 - 1
    assert store.find(cookie) is not None
    clock.now += 1
    assert store.find(cookie) is None
    assert sessions.SESSION_SECONDS == 12 * 3600


def test_the_oldest_session_ends_where_there_are_too_many() -> None:
    store = SessionStore(Clock())
    cookies = [store.begin("olga") for _ in range(MOST_SESSIONS + 1)]
    assert (store.find(cookies[0]), store.find(cookies[1]) is None) == (None, False)


def test_cookies_are_long_and_random_and_not_what_is_kept() -> None:
    store = SessionStore()
    first, second = store.begin("olga"), store.begin("olga")
    assert first != second
    assert len(first) >= 40
    assert first not in repr(vars(store))


def test_the_end_of_all_is_the_end_of_each() -> None:
    store = SessionStore()
    cookies = [store.begin("olga"), store.begin("otto")]
    store.end_all()
    assert [store.find(each) for each in cookies] == [None, None]


def test_a_form_of_nobody_has_no_token() -> None:
    assert not Session("", "", is_signed_in=False).is_csrf_token("")
    assert not SessionStore().local("olga").is_csrf_token("\ud800")
    assert SessionStore().local("olga").csrf_token != SessionStore().local("olga").csrf_token  # of this process only


def test_a_sign_in_under_way_is_found_once_and_within_ten_minutes() -> None:
    clock = Clock()
    pending = PendingSignIns(clock)
    cookies = [pending.add(FLOW, f"/{number}") for number in range(3)]
    found = pending.take(cookies[0])
    assert (found is not None and found.target, pending.take(cookies[0])) == ("/0", None)
    clock.now += 599
    assert pending.take(cookies[1]) is not None
    clock.now += 1
    assert pending.take(cookies[2]) is None
    assert entra_access.PENDING_SECONDS == 600


def test_strangers_who_begin_sign_ins_fill_no_memory() -> None:
    pending = PendingSignIns(Clock())
    cookies = [pending.add(FLOW, "/") for _ in range(MOST_PENDING + 1)]
    assert (pending.take(cookies[0]), pending.take(cookies[1]) is None) == (None, False)
