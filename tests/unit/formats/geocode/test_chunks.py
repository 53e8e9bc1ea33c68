"""The plan of calls (geocode.md, section 7)."""

import random

import pytest

from adapters.model.geocoding import (
    AdminDistrict,
    Answer,
    BoundingBox,
    ForwardItem,
    ItemError,
    Place,
    PlacePoint,
    ReverseItem,
)
from proxy.formats.geocode.checkpoints import (
    InvalidCheckpointError,
    decode_answers,
    decode_chunk,
    encode_answers,
    encode_chunk,
)
from proxy.formats.geocode.chunks import Chunk, ChunkPlan, plan_chunks
from proxy.formats.geocode.requests import Question
from proxy.formats.geocode.stored_answers import StoredAnswers
from tests.unit.formats.geocode.jobs import read


def forward(name: object, language: str = "en-US") -> Question:
    return Question(ForwardItem(f"{name}"), language)


def plan(questions: list[Question]) -> list[Chunk]:
    return sorted(plan_chunks(questions, ChunkPlan()), key=lambda chunk: chunk.number)


def test_a_chunk_has_at_most_100_items() -> None:
    assert [len(chunk.items) for chunk in plan([forward(number) for number in range(250)])] == [100, 100, 50]


def test_equal_items_are_asked_once() -> None:
    questions = [forward(number % 601) for number in range(1_000)]
    random.Random(1).shuffle(questions)  # noqa: S311  no secret
    assert sum(len(chunk.items) for chunk in plan(questions)) == 601


def test_forward_and_reverse_items_and_languages_go_apart() -> None:
    questions = [forward("a"), Question(ReverseItem(1, 2), "en-US"), forward("b", "fi-FI"), forward("b")]
    assert [(chunk.is_forward, chunk.language, len(chunk.items)) for chunk in plan(questions)] == [
        (True, "en-US", 2),
        (False, "en-US", 1),
        (True, "fi-FI", 1),
    ]


def test_rows_of_no_language_tag_go_with_those_in_english() -> None:
    cultures = ["en-US", "fi-FI", "", "fi_FI"]
    rows = "".join(f"{culture},{number}\n" for number, culture in enumerate(cultures))
    header = "GeocodeRequest/Culture,GeocodeRequest/Query"
    found = read(f"Bing Spatial Data Services, 2.0\n{header}\n{rows}".encode())
    chunks = plan([row.question for row in found if row.question])
    assert [(chunk.language, len(chunk.items)) for chunk in chunks] == [("en-US", 3), ("fi-FI", 1)]


def test_an_item_in_another_language_is_another_one() -> None:
    assert len(plan([forward("a"), forward("a", "fi-FI")])) == 2


def test_very_long_items_make_smaller_chunks() -> None:
    long = [Question(ForwardItem(f"{number}" + "x" * 600_000), "en-US") for number in range(3)]
    assert [len(chunk.items) for chunk in plan(long)] == [1, 1, 1]


def test_the_plan_is_the_same_each_time_and_finds_each_item() -> None:
    dice = random.Random(2)  # noqa: S311  no secret
    questions = [forward(dice.randrange(400), dice.choice(["en-US", "fi-FI", "da"])) for _ in range(1_000)]
    chunks, again, later = plan(questions), plan(questions), ChunkPlan()
    assert chunks == again
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    for question in questions:
        slot, _ = later.add(question)
        chunk = chunks[slot.chunk]
        assert (chunk.items[slot.position], chunk.language) == (question.item, question.language)
    assert (later.chunks, later.items) == (len(chunks), len({*questions}))


def test_chunks_come_as_soon_as_they_are_full() -> None:
    given = iter([forward(number) for number in range(150)])
    chunk = next(plan_chunks(given, ChunkPlan()))
    assert (chunk.number, len(chunk.items), len([*given])) == (0, 100, 49)


@pytest.mark.parametrize(
    "items", [[ForwardItem("a", top=3), ForwardItem(locality="\u00f8")], [ReverseItem(0.1, -2, ("Address",))]]
)
def test_a_chunk_survives_storage(items: list[ForwardItem | ReverseItem]) -> None:
    chunk = Chunk(7, "fi-FI", [*items])
    assert decode_chunk(encode_chunk(chunk)) == chunk


def test_answers_survive_storage() -> None:
    place = Place(
        0.1 + 0.2, -1e-7, "a\n\u2028", "Address", "High", ("Good", "Ambiguous"), "b", "c", "d", "e",
        (AdminDistrict("f", "g"), AdminDistrict("", "h")), "i", "j", BoundingBox(1, 2, 3, 4),
        (PlacePoint(1, 2, "Rooftop", ("Display", "Route")),),
    )  # fmt: skip
    answers: list[Answer] = [(place, Place(1, 2)), (), ItemError("No.", is_of_server=True)]
    assert decode_answers(encode_answers(answers)) == answers


def test_answers_are_compact() -> None:
    assert len(encode_answers([(Place(1.5, 2.5, "Denver, CO"),)])) < 100


@pytest.mark.parametrize(
    "data",
    [b"x", b"[[1]]\n", b"[1]\n", b'{"message":"x"}\n', b"null\n", b"[[" + b"1," * 20 + b"1]]\n", b'[[1,2,"a"'],
)
def test_a_checkpoint_of_another_version_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidCheckpointError):
        decode_answers(data)
    with pytest.raises(InvalidCheckpointError):
        decode_chunk(data)


def test_stored_answers_are_found_with_few_chunks_in_memory() -> None:
    dice = random.Random(3)  # noqa: S311  no secret
    languages = [f"en-{number:03}" for number in range(150)]
    questions = [forward(dice.randrange(5_000), dice.choice(languages)) for _ in range(4_000)]
    stored = {
        chunk.number: encode_answers([(Place(1, 2, f"{item} {chunk.language}"),) for item in chunk.items])
        for chunk in plan(questions)
    }
    answers = StoredAnswers(stored.get)
    for question in questions:
        assert answers.find(question) == (Place(1, 2, f"{question.item} {question.language}"),)
    assert len(answers._recent) == 128  # noqa: SLF001  bounds its memory


def test_a_chunk_that_was_never_answered_has_no_answers() -> None:
    answers = StoredAnswers({0: encode_answers([()])}.get)
    assert [answers.find(forward(number)) for number in range(101)] == [(), *[None] * 100]
