"""A job that only waits lends its slot, and frees it once."""

from proxy.worker.slots import MAX_LENT, HeldSlot, Slots


def take(slots: Slots, account: str = "a") -> HeldSlot:
    assert slots.try_acquire(account)
    return HeldSlot(slots, account)


def test_a_lent_slot_is_anothers() -> None:
    slots = Slots(1)
    first = take(slots)
    assert not slots.try_acquire("a")
    first.lend()
    first.lend()
    second = take(slots)
    first.release()
    assert not slots.try_acquire("a")
    second.release()
    assert slots.try_acquire("a")


def test_only_so_many_go_on_without_a_slot() -> None:
    slots = Slots(1)
    lent: list[HeldSlot] = []
    for _ in range(MAX_LENT):
        held = take(slots)
        held.lend()
        lent.append(held)
    last = take(slots)
    last.lend()
    assert not slots.try_acquire("a")
    lent[0].release()
    last.lend()
    assert slots.try_acquire("a")
